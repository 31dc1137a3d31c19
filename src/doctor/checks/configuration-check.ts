import { of } from 'rxjs';
import type { CheckOutcome, CheckUnit } from '../check.js';

/** What chose the auth and the port, as the caller found out. */
export function configurationCheck(outcome: CheckOutcome): CheckUnit {
  return {
    id: 'configuration.choice',
    group: 'configuration',
    needs: [],
    run: () => of(outcome),
  };
}
