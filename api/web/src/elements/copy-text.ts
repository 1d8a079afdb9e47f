// How does a long value, such as a hash, get onto the clipboard?

class CopyText extends HTMLElement {
  connectedCallback(): void {
    this.querySelector("button")?.addEventListener("click", this.#copy);
  }

  #copy = async (): Promise<void> => {
    const line = this.querySelector("[role=status]");
    try {
      await navigator.clipboard.writeText(this.dataset["text"] ?? "");
      if (line !== null) line.textContent = "Copied";
    } catch {
      if (line !== null) line.textContent = "Could not copy";
    }
    setTimeout(() => line?.replaceChildren(), 2000);
  };
}

customElements.define("copy-text", CopyText);
