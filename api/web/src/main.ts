// What does every page need to come alive? htmx, and each custom element once its tag is on the page.
import "./main.css";
import "htmx.org";

const parts = import.meta.glob("./elements/*.ts");
const asked = new Set<string>();

/** Fetches the code of each custom element that stands in the document; each only once. */
function wake(root: ParentNode): void {
  for (const [path, load] of Object.entries(parts)) {
    const tag = path.slice(path.lastIndexOf("/") + 1, -".ts".length);
    if (asked.has(tag) || root.querySelector(tag) === null) continue;
    asked.add(tag);
    void load();
  }
}

/** Buttons with command="show-modal" work by themselves in current browsers; this serves the older ones. */
function openDialogs(event: MouseEvent): void {
  if ("commandForElement" in HTMLButtonElement.prototype || !(event.target instanceof Element)) return;
  const button = event.target.closest<HTMLButtonElement>("button[commandfor]");
  const dialog = button && document.getElementById(button.getAttribute("commandfor") ?? "");
  if (!(dialog instanceof HTMLDialogElement)) return;
  if (button?.getAttribute("command") === "show-modal") dialog.showModal();
  else dialog.close();
}

/** The phone drawer closes by Escape and gives the focus back to its button. */
function closeDrawer(event: KeyboardEvent): void {
  const drawer = document.querySelector<HTMLDetailsElement>("details.drawer[open]");
  if (event.key !== "Escape" || drawer === null) return;
  drawer.open = false;
  drawer.querySelector("summary")?.focus();
}

/** A form sent once is not sent twice by an impatient second click. */
function sendOnce(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent === "true") event.preventDefault();
  form.dataset.sent = "true";
  setTimeout(() => delete form.dataset.sent, 4000);
}

document.documentElement.classList.add("js");
document.addEventListener("click", openDialogs);
document.addEventListener("keydown", closeDrawer);
document.addEventListener("submit", sendOnce);
document.addEventListener("htmx:after:swap", () => wake(document));
wake(document);
