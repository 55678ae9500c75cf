import type { Following } from 'intent/client';
import { find, findElement } from './dom.ts';
import { formatCents, readCents } from './money.ts';
import type { Notice } from './notice.ts';

/** Keeps showing what is left of the budget; if it is not open yet, the form that opens it. */
export function showBudget(panel: HTMLElement, budget: Following<'budget'>, notice: Notice): void {
  const element = findElement(panel, '.budget');
  const form = find(panel, 'form.open-budget', HTMLFormElement);

  const render = () => {
    const { state, pending, position } = budget.getSnapshot();
    const isOpen = state.status === 'open';
    element.hidden = !isOpen;
    form.hidden = isOpen || position === null;
    if (!isOpen) return;
    const [spent, reserved] = [state.spent.total, state.reserved.total];
    element.classList.toggle('pending', pending.length > 0);
    findElement(element, '.name').textContent = state.name;
    for (const [name, cents] of Object.entries({ limit: state.limit, spent, reserved, left: state.limit - spent - reserved })) {
      findElement(element, `.${name}`).textContent = formatCents(cents);
    }
    const meter = find(element, 'meter', HTMLMeterElement);
    // A limit of nothing has nothing to measure.
    meter.max = state.limit || 1;
    meter.value = spent + reserved;
  };
  budget.subscribe(render);
  render();

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const limit = readCents(find(form, '[name=limit]', HTMLInputElement));
    void notice.watch('Opening the budget', budget.send('OpenBudget', { payload: { name: 'Household', limit } }));
  });
}
