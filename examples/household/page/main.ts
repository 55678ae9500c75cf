// One panel a user, each with a session of its own, as if they sat at two machines. `?budget=…` shows another budget.
import { copyOf, findElement } from './dom.ts';
import { openPanel } from './panel.ts';
import type { PageSettings } from './settings.ts';

const settings = (await (await fetch('settings.json')).json()) as PageSettings;
const budgetId = new URLSearchParams(location.search).get('budget') ?? 'household';

const panels = settings.users.map((user) => {
  const panel = copyOf('panel');
  findElement(document, 'main').append(panel);
  return openPanel(panel, { ...settings, user, budgetId });
});
await Promise.all(panels);
