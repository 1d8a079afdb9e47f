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

/** Says that a part of the page could not be loaded; what is on screen stays. */
function trouble(text: string): void {
  let line = document.getElementById("trouble");
  if (line === null) {
    line = document.createElement("p");
    line.id = "trouble";
    line.className = "trouble";
    line.setAttribute("role", "alert");
    document.body.append(line);
  }
  line.textContent = text;
  line.hidden = text === "";
}

/** A refused request swaps nothing, except where it leads to the sign-in. */
function refused(event: Event): void {
  const { response } = (event as CustomEvent<{ ctx: { response: { raw: Response } } }>).detail.ctx;
  if (response.raw.ok || response.raw.headers.has("HX-Redirect")) return trouble("");
  event.preventDefault();
  trouble(response.raw.status === 503 ? "Not available right now. Try again in a moment." : "That did not work. Load the page again.");
}

document.documentElement.classList.add("js");
document.addEventListener("htmx:before:response", refused);
document.addEventListener("htmx:error", () => trouble("The server does not answer. Try again in a moment."));
document.addEventListener("click", openDialogs);
document.addEventListener("keydown", closeDrawer);
document.addEventListener("submit", sendOnce);
document.addEventListener("htmx:after:swap", () => wake(document));
wake(document);
