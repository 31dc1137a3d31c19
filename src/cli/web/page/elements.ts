/** The element of the page with that id. The page has it, else this is not the page. */
export function find<E extends HTMLElement>(
  id: string,
  kind: { new (): E; readonly name: string },
): E {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`The page lacks its ${kind.name} "${id}".`);
}

/** A new element with a text in it. Whatever the text says, it stays a text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = '',
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  say(element, text);
  return element;
}

/** Changes a text, if it does. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
