// The few DOM helpers that the page is built with.

type Child = Node | string;

/** h makes an element: h('p', {class: 'note'}, 'text'). */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** svg makes an element of a drawing. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** byId finds an element that the page's HTML promises. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element as T;
}

/** say sets an element's text, touching the document only when it differs. */
export function say(element: Element, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}

/** put sets an attribute, or removes it when there is no value. */
export function put(element: Element, name: string, value: string | null | undefined): void {
  if (value == null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * rows makes the children of a list follow its items. Elements are kept by key,
 * so that focus, selection and an open tip survive an update.
 */
export function rows<T, E extends HTMLElement>(
  parent: HTMLElement,
  items: readonly T[],
  keyOf: (item: T) => string,
  make: () => E,
  fill: (element: E, item: T, index: number) => void,
): void {
  const old = new Map<string, E>();
  for (const child of parent.children) old.set((child as HTMLElement).dataset['key'] ?? '', child as E);
  items.forEach((item, index) => {
    const key = keyOf(item);
    const element = old.get(key) ?? make();
    old.delete(key);
    element.dataset['key'] = key;
    fill(element, item, index);
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
  for (const gone of old.values()) gone.remove();
}
