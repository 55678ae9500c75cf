const fence = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** The fenced blocks of a language, in their order. */
export function codeBlocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(fence)].filter(([, name]) => name === language).map(([, , code]) => code!);
}

/** Without the fenced blocks, in which nothing is a link. */
export function proseOf(markdown: string): string {
  return markdown.replaceAll(fence, '');
}

/** From a heading of level 2 to the next one. Throws if there is none of this title. */
export function section(markdown: string, title: string): string {
  const found = markdown.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  if (found === undefined) throw new Error(`There is no section "${title}".`);
  return found;
}

/** What stands in backticks. */
export function codeSpans(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
}
