// What happens to a page left open? When the session has ended without activity the page is loaded
// again, and the server, which decides, answers with the sign-in: nothing stays legible on screen.

const AFTER = 5000; // milliseconds past the session's end, so that the server has surely closed it
const SIGNS = ["htmx:after:request", "palimpsest:active"]; // requests that kept the session alive

class IdleGuard extends HTMLElement {
  #timer = 0;

  connectedCallback(): void {
    for (const sign of SIGNS) document.addEventListener(sign, this.#restart);
    this.#restart();
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    for (const sign of SIGNS) document.removeEventListener(sign, this.#restart);
  }

  #restart = (): void => {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(this.#end, Number(this.dataset["minutes"]) * 60_000 + AFTER);
  };

  /** A page that still holds unsaved text may keep itself open by refusing the event. */
  #end = (): void => {
    if (!document.dispatchEvent(new Event("palimpsest:idle", { cancelable: true }))) return this.#restart();
    const back = this.dataset["back"]; // set on the answer to a form, which must not be sent again
    if (back) location.replace(back);
    else location.reload();
  };
}

customElements.define("idle-guard", IdleGuard);
