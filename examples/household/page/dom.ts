/** A part of the page's own HTML. Throws if it is not there: page and script do not fit then. */
export function find<Found extends Element>(within: ParentNode, selector: string, type: abstract new () => Found): Found {
  const found = within.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${type.name} at ${selector}.`);
}

/** The same, for what only shows text or takes clicks. */
export function findElement(within: ParentNode, selector: string): HTMLElement {
  return find(within, selector, HTMLElement);
}

/** A copy of what is in a template of the page. */
export function copyOf(templateId: string): HTMLElement {
  const { content } = find(document, `template#${templateId}`, HTMLTemplateElement);
  return findElement(document.importNode(content, true), '*');
}
