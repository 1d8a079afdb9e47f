// How does the chart follow the slider? Each tick is a moment at which something changed.
import { load } from "../htmx";

const PAUSE = 120; // milliseconds a thumb rests before its moment is fetched

class TimeControl extends HTMLElement {
  #range: HTMLInputElement | null = null;
  #timer = 0;

  connectedCallback(): void {
    this.#range = this.querySelector("input[type=range]");
    this.#range?.addEventListener("input", this.#moved);
    this.querySelector("form")?.addEventListener("change", this.#chosen);
    this.setAttribute("hx-sync", "this:replace");
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  get #ticks(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>(".ticks > *")];
  }

  /** Shows at once which moment the thumb is on, and fetches it when the thumb rests. */
  #moved = (): void => {
    const here = Number(this.#range?.value ?? 0);
    const ticks = this.#ticks;
    const tick = ticks[here];
    if (tick === undefined) return;
    ticks.forEach((one, index) => {
      one.classList.toggle("here", index === here);
      one.classList.toggle("later", index > here);
    });
    const words = `${tick.dataset["label"]} – ${tick.dataset["what"]}`;
    const line = this.querySelector("[data-here]");
    if (line !== null) line.textContent = words;
    this.#range?.setAttribute("aria-valuetext", words);
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#show(tick.dataset["asOf"] ?? ""), PAUSE);
  };

  async #show(moment: string): Promise<void> {
    const form = this.querySelector("form");
    if (form === null) return;
    const address = new URL(form.action);
    const view = new FormData(form).get("view");
    if (view === "true") address.searchParams.set("view", "true");
    if (moment !== "") address.searchParams.set("as_of", moment);
    const typed = form.querySelector<HTMLInputElement>("input[name=as_of]");
    if (typed !== null) typed.value = this.#typedValue(moment);
    await load(address.pathname + address.search, this.dataset["chart"] ?? "#chart", this);
  }

  /** The wall-clock part of a moment, as a datetime-local input wants it. */
  #typedValue(moment: string): string {
    return moment.slice(0, "2026-03-03T14:02".length);
  }

  /** Another kind of time has other ticks, so the whole page is loaded. */
  #chosen = (event: Event): void => {
    if (event.target instanceof HTMLInputElement && event.target.name === "view") event.target.form?.requestSubmit();
  };
}

customElements.define("time-control", TimeControl);
