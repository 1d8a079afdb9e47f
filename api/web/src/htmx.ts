// Which part of htmx do the elements call themselves?
import htmx from "htmx.org";

/** Loads a page of ours and puts the element with this selector in place of the one on screen. */
export function load(address: string, selector: string, source: Element): Promise<void> {
  return htmx.ajax("GET", address, { source, target: selector, select: selector, swap: "outerMorph", replace: address });
}
