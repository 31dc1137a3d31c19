import {
  catchError,
  concat,
  concatMap,
  filter,
  from,
  map,
  of,
  reduce,
  take,
  type Observable,
} from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import { request } from '../../exchange/request.js';
import { connect } from '../../initiator/connect.js';
import { onConnection } from '../../initiator/on-connection.js';
import { AmandaError, isAmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';
import { fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { explainRefusal } from '../refusals.js';
import type { NoopAnswer, TargetFacts } from '../target-facts.js';

/** What the target says to requests. `after` are the checks without which none arrives. */
export function requestChecks(facts: TargetFacts, after: readonly string[]): readonly CheckUnit[] {
  return [
    {
      id: 'request.noop',
      group: 'request',
      needs: after,
      run: () => facts.noop.pipe(map((answer) => verdict(answer, facts.host))),
    },
    {
      id: 'request.services',
      group: 'request',
      needs: ['request.noop'],
      run: () => services(facts),
    },
  ];
}

function verdict(answer: NoopAnswer, host: string): CheckOutcome {
  if (answer.kind === 'answered') return fine(`${host} lets this user in.`);
  return refusal(answer.error, host, 'noop');
}

/** What a refusal for a missing line leaves open. */
const IF_PRESENT =
  'If the line is there: CR LF, a BOM or another name in it never match; rx-amanda doctor --local on the target says so.';

function refusal(error: unknown, host: string, service: string): CheckOutcome {
  const said = messageOf(error);
  if (isAmandaError(error, 'REFUSED')) {
    const advice = explainRefusal(said, host);
    return fault(advice?.kind ?? 'request-refused', {
      message: `${host} refuses ${service}: ${said}`,
      ...(advice?.kind === 'amandahosts-line' ? { evidence: [IF_PRESENT] } : {}),
      fix: advice?.fix ?? `See the log of amandad on ${host}.`,
    });
  }
  if (isAmandaError(error, 'SERVICE_FAILED') || isAmandaError(error, 'BAD_REPLY'))
    return fault('service-failed', {
      message: said,
      fix: `On ${host}, see the logs below /var/log/amanda/client, and whether Amanda's programs are installed and may be executed.`,
    });
  return fault('request-lost', {
    message: said,
    fix: `See the log of amandad on ${host}.`,
  });
}

/** The other services that each backup needs. */
const backupServiceNames = ['selfcheck', 'sendsize', 'sendbackup'] as const;

/** Asks each service without a disk: a refusal precedes the start of the service. */
function services(facts: TargetFacts): Observable<CheckOutcome> {
  const { options, timing, host } = facts;
  const ask = (connection: Connection, service: string): Observable<AmandaError | undefined> =>
    of(connection).pipe(
      request(service, timing),
      filter(({ kind }) => kind === 'final'),
      take(1),
      map(() => undefined),
      catchError((error: unknown) => {
        if (isAmandaError(error, 'REFUSED')) return of(error);
        throw error;
      }),
    );
  return connect(options.driver, timing).pipe(
    onConnection((connection) =>
      concat(
        ...backupServiceNames.map((service) =>
          ask(connection, service).pipe(map((error) => ({ service, error }))),
        ),
      ),
    ),
    reduce<{ service: string; error: AmandaError | undefined }, readonly CheckOutcome[]>(
      (found, { service, error }) =>
        error === undefined ? found : [...found, refusal(error, host, service)],
      [],
    ),
    map(([first, ...more]) =>
      first === undefined
        ? fine(`${backupServiceNames.join(', ')} are enabled.`)
        : { ...first, evidence: more.map(({ message }) => message) },
    ),
    catchError((error: unknown) => of(refusal(error, host, 'a service'))),
    concatMap((outcome) => from([outcome])),
  );
}
