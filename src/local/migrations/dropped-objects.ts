export interface MadeObject {
  /** In the words of SQL: `function`, `view`, `trigger` and so on. */
  readonly kind: string;
  /** As the fixture names it. */
  readonly name: string;
}

const made = /^create (?:or replace )?(?:constraint )?(function|procedure|aggregate|view|trigger|policy) ([\w.]+)/gim;

/** What `fixture` makes and `later`, the SQL that came after it, does not drop. */
export function droppedNowhere(fixture: string, later: string): readonly MadeObject[] {
  const objects = [...fixture.matchAll(made)].map(([, kind, name]) => ({ kind: kind!.toLowerCase(), name: name! }));
  return objects.filter(({ kind, name }) => !new RegExp(`\\bdrop ${kind} (?:if exists )?${name.replaceAll('.', '\\.')}\\b`, 'i').test(later));
}
