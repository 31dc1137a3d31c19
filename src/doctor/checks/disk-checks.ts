import { catchError, map, of, toArray, type Observable } from 'rxjs';
import { connect } from '../../initiator/connect.js';
import { isProblem, selfcheck, type Finding } from '../../initiator/selfcheck.js';
import { sendsize, type Estimate } from '../../initiator/sendsize.js';
import type { Dle } from '../../wire/dle/dle.js';
import { isAmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';
import { concern, fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import type { TargetFacts } from '../target-facts.js';

/** What the target says of disks; none without disks. */
export function diskChecks(facts: TargetFacts): readonly CheckUnit[] {
  const { disks = [] } = facts.options;
  if (disks.length === 0) return [];
  const needs = ['request.services'];
  return [
    { id: 'disk.selfcheck', group: 'disk', needs, run: () => checkDisks(facts, disks) },
    { id: 'disk.estimate', group: 'disk', needs, run: () => estimate(facts, disks) },
  ];
}

/** Amanda's `ctimeout`, for the answer of a selfcheck. */
const CHECK_WITHIN = 30_000;

function checkDisks(
  { options, timing, host }: TargetFacts,
  dles: readonly Dle[],
): Observable<CheckOutcome> {
  return connect(options.driver, timing).pipe(
    selfcheck({ dles, ...timing, replyTimeout: options.patience ?? CHECK_WITHIN }),
    toArray(),
    map((findings) => judgeFindings(findings, host)),
    catchError((error: unknown) => of(failed(error, host, 'selfcheck'))),
  );
}

function judgeFindings(findings: readonly Finding[], host: string): CheckOutcome {
  const problems = findings.filter(isProblem).map(({ text }) => text);
  const [first, ...more] = problems;
  return first === undefined
    ? fine(`The selfcheck of ${host} finds no problem.`)
    : fault('selfcheck-problem', {
        message: `The selfcheck of ${host} says: ${first}`,
        evidence: more,
        fix: `Mend on ${host} what its selfcheck says.`,
      });
}

/** Amanda's `etimeout` in seconds. */
const ESTIMATE_WITHIN = 300;
/** An estimate that takes more than this share of etimeout may soon take too long. */
const CLOSE = 0.5;

function estimate(
  { options, timing, host }: TargetFacts,
  dles: readonly Dle[],
): Observable<CheckOutcome> {
  const { etimeout = ESTIMATE_WITHIN } = options;
  // A negative etimeout is for all disks together.
  const limit = etimeout < 0 ? -etimeout : etimeout * dles.length;
  const started = performance.now();
  return connect(options.driver, timing).pipe(
    sendsize({ dles, ...timing, replyTimeout: limit * 1_000 }),
    toArray(),
    map((estimates) =>
      judgeEstimates(estimates, (performance.now() - started) / 1_000, limit, host),
    ),
    catchError((error: unknown) =>
      of(
        isAmandaError(error, 'REP_TIMEOUT')
          ? fault('estimate-slow', {
              message: `The estimate of ${host} takes longer than etimeout, ${limit} s.`,
              fix: 'Raise etimeout, or set estimate to calcsize or server in the dumptype.',
            })
          : failed(error, host, 'sendsize'),
      ),
    ),
  );
}

function judgeEstimates(
  estimates: readonly Estimate[],
  seconds: number,
  limit: number,
  host: string,
): CheckOutcome {
  const took = `${seconds.toFixed(1)} s of the ${limit} s that etimeout gives`;
  const bad = estimates.find(({ kind }) => kind === 'error' || kind === 'none');
  if (bad !== undefined)
    return fault('estimate-failed', {
      message: `${host} has no estimate for ${bad.disk}${bad.kind === 'error' ? `: ${bad.text}` : ''}.`,
      fix: `See the log of sendsize below /var/log/amanda/client on ${host}.`,
    });
  const sizes = estimates.flatMap((one) =>
    one.kind === 'size' ? `${one.disk} level ${one.level}: ${one.kilobytes} KiB` : [],
  );
  return seconds > limit * CLOSE
    ? concern('estimate-slow', {
        message: `The estimate took ${took}.`,
        evidence: sizes,
        fix: 'Raise etimeout, or set estimate to calcsize or server in the dumptype.',
      })
    : fine(`The estimate took ${took}.`, sizes);
}

function failed(error: unknown, host: string, service: string): CheckOutcome {
  return fault('service-failed', {
    message: messageOf(error),
    fix: `See the log of ${service} below /var/log/amanda/client on ${host}.`,
  });
}
