import { catchError, map, of, takeLast, type Observable } from 'rxjs';
import type { Driver } from '../../drivers/driver.js';
import { connect } from '../../initiator/connect.js';
import { noop } from '../../initiator/noop.js';
import { onConnection } from '../../initiator/on-connection.js';
import { isAmandaError } from '../../wire/errors.js';

/** The time for an answer. */
const WITHIN = 1_500;

const timing = {
  connectTimeout: WITHIN,
  connectTries: 1,
  ackTimeout: WITHIN,
  requestTries: 1,
  replyTimeout: WITHIN,
  replyRestarts: 0,
};

/** Whether an Amanda answers over a driver, even with a refusal. */
export function speaksAmandaAt(driver: Driver): Observable<boolean> {
  return connect(driver, timing).pipe(
    onConnection((connection) => of(connection).pipe(noop(timing))),
    takeLast(1),
    map(() => true),
    catchError((error: unknown) =>
      of(
        isAmandaError(error, 'REFUSED') ||
          isAmandaError(error, 'SERVICE_FAILED') ||
          isAmandaError(error, 'REP_TIMEOUT'),
      ),
    ),
  );
}
