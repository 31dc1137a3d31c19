/** Finds an element of the page. Throws when the page lacks it. */
export function find<E extends HTMLElement>(
  id: string,
  kind: { new (): E; readonly name: string },
): E {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`The page lacks its ${kind.name} "${id}".`);
}

/** Makes an element with a text. The text is never parsed as HTML. */
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

/** Sets a text unless it is already set. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
