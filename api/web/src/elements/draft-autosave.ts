// How is a draft kept while it is written? Saved a second after the last key, one save at a time,
// and never quietly: the state says what the server has. Two texts are shown side by side.

const PAUSE = 1000; // milliseconds of quiet before a save
const LATER = [3000, 10_000, 30_000]; // milliseconds before the next try when a save failed

type State = "saving" | "failed" | "refused" | "conflict" | "signed-out";
const WORDS: Record<State, string> = {
  saving: "Saving…",
  failed: "Not saved – trying again",
  refused: "Not saved – this was not accepted; press Sign… to see why",
  conflict: "Not saved – two texts, see above",
  "signed-out": "Not saved – you were signed out. Sign in in another tab, then try again; your text stays here",
};

class DraftAutosave extends HTMLElement {
  #timer = 0;
  #failures = 0;
  #isDirty = false;
  #isInConflict = false;
  #saving: Promise<void> | null = null;

  connectedCallback(): void {
    this.addEventListener("input", this.#typed);
    this.addEventListener("click", this.#clicked);
    this.#form.addEventListener("submit", this.#submitted);
    window.addEventListener("beforeunload", this.#leaving);
    document.addEventListener("palimpsest:idle", this.#idle);
    // Whoever types quickly has begun before this script was there to hear it.
    const texts = this.#form.querySelectorAll<HTMLTextAreaElement>("textarea");
    if ([...texts].some((text) => text.value !== text.defaultValue)) {
      this.#isDirty = true;
      this.#schedule(PAUSE);
    }
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    window.removeEventListener("beforeunload", this.#leaving);
    document.removeEventListener("palimpsest:idle", this.#idle);
  }

  get #form(): HTMLFormElement {
    return this.querySelector<HTMLFormElement>("form")!;
  }

  #input(name: string): HTMLInputElement | HTMLTextAreaElement | null {
    const found = this.#form.elements.namedItem(name);
    return found instanceof HTMLInputElement || found instanceof HTMLTextAreaElement ? found : null;
  }

  #typed = (event: Event): void => {
    if (event.target instanceof Element && event.target.closest("dialog")) return;
    this.#isDirty = true;
    this.#schedule(PAUSE);
  };

  #schedule(pause: number): void {
    clearTimeout(this.#timer);
    if (!this.#isInConflict) this.#timer = window.setTimeout(() => void this.#save(), pause);
  }

  /** Saves what stands in the form; a save under way is waited for, so revisions never cross. */
  async #save(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#saving !== null) await this.#saving;
    if (!this.#isDirty || this.#isInConflict) return;
    this.#saving = this.#send().finally(() => (this.#saving = null));
    await this.#saving;
  }

  async #send(): Promise<void> {
    this.#say("saving");
    this.#isDirty = false;
    try {
      const body = new FormData(this.#form);
      const answer = await fetch(this.dataset["href"]!, { method: "POST", body, headers: { "HX-Request": "true" }, redirect: "manual" });
      if (answer.ok) await this.#saved(answer);
      else if (answer.status === 409) await this.#twoTexts(answer);
      else if (answer.status === 422) this.#failed("refused");
      else this.#failed(answer.type === "opaqueredirect" || [401, 403].includes(answer.status) ? "signed-out" : "failed");
    } catch {
      this.#failed("failed");
    }
  }

  async #saved(answer: Response): Promise<void> {
    this.#status.innerHTML = await answer.text(); // our own template, escaped by the server
    const revision = this.#status.querySelector<HTMLElement>("[data-revision]")?.dataset["revision"];
    const field = this.#input("revision");
    if (field !== null && revision !== undefined) field.value = revision;
    this.#failures = 0;
    this.#retry.hidden = true;
    document.dispatchEvent(new Event("palimpsest:active"));
    if (this.#isDirty) this.#schedule(PAUSE);
  }

  async #twoTexts(answer: Response): Promise<void> {
    const found = document.createElement("template");
    found.innerHTML = await answer.text(); // our own template, escaped by the server
    if (found.content.querySelector(".conflict") === null) return this.#failed("refused"); // closed meanwhile
    this.#isDirty = true;
    this.#isInConflict = true;
    const place = this.querySelector<HTMLElement>("[data-conflict]")!;
    place.replaceChildren(found.content);
    place.scrollIntoView({ block: "start" });
    this.#say("conflict");
  }

  #failed(state: State): void {
    this.#isDirty = true;
    this.#say(state);
    this.#retry.hidden = false;
    if (state === "failed") this.#schedule(LATER[Math.min(this.#failures++, LATER.length - 1)]!);
  }

  get #status(): HTMLElement {
    return this.querySelector<HTMLElement>("[data-status]")!;
  }

  get #retry(): HTMLButtonElement {
    return this.querySelector<HTMLButtonElement>("[data-retry]")!;
  }

  #say(state: State): void {
    const line = document.createElement("span");
    line.className = "state";
    line.dataset["state"] = state === "signed-out" || state === "refused" ? "failed" : state;
    line.textContent = WORDS[state];
    this.#status.replaceChildren(line);
  }

  #clicked = (event: MouseEvent): void => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>("button") : null;
    if (button === null) return;
    const { take, append } = button.dataset;
    if (button === this.#retry) void this.#tryAgain();
    else if (button.dataset["resolve"] !== undefined) {
      event.preventDefault();
      void this.#resolve(button.value);
    } else if (take !== undefined) this.#bring(take, "instead");
    else if (append !== undefined) this.#bring(append, "below");
  };

  /** Puts the text saved elsewhere into the form, instead of mine or below it. */
  #bring(section: string, where: "instead" | "below"): void {
    const theirs = this.querySelector<HTMLElement>(`[data-theirs="${section}"]`)?.textContent ?? "";
    const field = this.#input(section);
    if (field === null) return;
    field.value = where === "instead" ? theirs : `${field.value}\n\n${theirs}`;
    field.focus();
  }

  /** The writer has chosen: what stands in the form is saved on top of the revision shown. */
  async #resolve(revision: string): Promise<void> {
    const field = this.#input("revision");
    if (field !== null) field.value = revision;
    this.querySelector<HTMLElement>("[data-conflict]")!.replaceChildren();
    this.#isInConflict = false;
    this.#isDirty = true;
    await this.#save();
  }

  /** After signing in again elsewhere the page's token is stale; a fresh copy of it has the new one. */
  async #tryAgain(): Promise<void> {
    const page = await fetch(this.dataset["page"]!, { redirect: "manual" }).catch(() => null);
    if (page?.ok) {
      const fresh = new DOMParser().parseFromString(await page.text(), "text/html").querySelector<HTMLInputElement>("#draft input[name=csrf]");
      const field = this.#input("csrf");
      if (fresh !== null && field !== null) field.value = fresh.value;
    }
    this.#isDirty = true;
    await this.#save();
  }

  /** The form carries the whole text itself, so leaving through one of its buttons loses nothing. */
  #submitted = (event: SubmitEvent): void => {
    if (this.#saving === null) {
      this.#isDirty = false;
      clearTimeout(this.#timer);
      return;
    }
    event.preventDefault(); // a save is under way: its revision must be known before the form is sent
    const { submitter } = event;
    void this.#saving.then(() => {
      if (!this.#isInConflict) this.#form.requestSubmit(submitter);
      else this.querySelector("dialog")?.close();
    });
  };

  #leaving = (event: BeforeUnloadEvent): void => {
    if (this.#isDirty || this.#saving !== null) event.preventDefault();
  };

  /** Before the page goes away for lack of activity, what was typed is saved; if that fails it stays. */
  #idle = (event: Event): void => {
    if (this.#isDirty || this.#saving !== null) event.preventDefault();
    void this.#save();
  };
}

customElements.define("draft-autosave", DraftAutosave);
