// How does an auditor step through events with the keyboard? j and k, or the arrows in the panel.

class EventReplay extends HTMLElement {
  connectedCallback(): void {
    document.addEventListener("keydown", this.#key);
    this.addEventListener("click", this.#clicked);
    this.#mark(this.querySelector<HTMLElement>(".events [aria-current]"));
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.#key);
  }

  get #links(): HTMLAnchorElement[] {
    return [...this.querySelectorAll<HTMLAnchorElement>(".events a")];
  }

  #key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "j") this.#step(1);
    else if (event.key === "k") this.#step(-1);
    else return;
    event.preventDefault();
  };

  #step(by: number): void {
    const links = this.#links;
    const here = links.findIndex((link) => link.hasAttribute("aria-current"));
    links[Math.min(Math.max(here + by, 0), links.length - 1)]?.click();
  }

  /** The arrows of the panel move along the list, so that nothing but the panel is fetched. */
  #clicked = (event: MouseEvent): void => {
    if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const arrow = event.target.closest<HTMLElement>("[data-earlier], [data-later]");
    const link = event.target.closest<HTMLElement>(".events a");
    if (arrow !== null) {
      event.preventDefault();
      this.#step(arrow.dataset["later"] === undefined ? -1 : 1);
    } else if (link !== null) this.#mark(link);
  };

  /** Marks the event in view and brings it into sight inside its own list only. */
  #mark(link: HTMLElement | null): void {
    if (link === null) return;
    for (const other of this.#links) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    const list = link.closest<HTMLElement>(".events");
    if (list === null) return;
    const { top, bottom } = link.getBoundingClientRect();
    const frame = list.getBoundingClientRect();
    if (top < frame.top) list.scrollTop -= frame.top - top + 8;
    else if (bottom > frame.bottom) list.scrollTop += bottom - frame.bottom + 8;
  }
}

customElements.define("event-replay", EventReplay);
