import { forkJoin, map, of, switchMap, type Observable } from 'rxjs';
import { Features, type FeatureName } from '../../wire/features.js';
import { concern, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { probeTcp } from '../probes/probe-tcp.js';
import type { NoopAnswer, TargetFacts } from '../target-facts.js';

/** What the target can do, and how fast it answers. */
export function capabilityChecks(facts: TargetFacts): readonly CheckUnit[] {
  return [
    {
      id: 'capabilities.features',
      group: 'capabilities',
      needs: ['request.noop'],
      run: () => facts.noop.pipe(map((answer) => features(answer, facts.host))),
    },
    {
      id: 'capabilities.time',
      group: 'capabilities',
      needs: ['request.noop'],
      run: () =>
        forkJoin([facts.noop, roundTrip(facts)]).pipe(
          map(([answer, trip]) => answerTime(answer, trip, facts.host)),
        ),
    },
  ];
}

/** What a backup loses without these features. */
const losses: readonly (readonly [FeatureName, string])[] = [
  ['fe_req_xml', 'requests in XML, so that each disk takes one line of text'],
  ['fe_program_gnutar', 'dumps with GNU tar'],
  ['fe_program_application_api', 'applications such as amgtar'],
  ['fe_calcsize_estimate', 'estimates by calcsize'],
  ['fe_sendbackup_crc', 'checksums of dumps'],
  ['fe_sendsize_rep_warning', 'warnings of estimates'],
  ['fe_selfcheck_message', 'structured messages of selfcheck'],
];

function features(answer: NoopAnswer, host: string): CheckOutcome {
  if (answer.kind === 'failed') return fine('Nothing is known.');
  const known = answer.noop.features;
  const count = known.names().length;
  if (count === 0)
    return concern('old-client', {
      message: `${host} names no features: it is an Amanda from before 2.4.3, or it hides them.`,
      fix: `Install a newer Amanda on ${host}. This version speaks to old ones only by requests in plain text.`,
    });
  const lost = losses.filter(([feature]) => !known.has(feature)).map(([, loss]) => loss);
  if (!known.has('fe_req_xml'))
    return concern('old-client', {
      message: `${host} is an old Amanda, with ${count} of the ${Features.amanda351.names().length} features of 3.5.1.`,
      evidence: lost.map((loss) => `It lacks ${loss}.`),
      fix: `Install a newer Amanda on ${host}, 2.6.1 at least.`,
    });
  return fine(
    `${host} has ${count} features; Amanda 3.5.1 has ${Features.amanda351.names().length}.`,
    lost.map((loss) => `It lacks ${loss}.`),
  );
}

/** An answer that is slower than this has a cause worth a look. */
const SLOW = 3_000;

/** Milliseconds of a TCP connection; undefined where packets take another way. */
function roundTrip({ auth, port, tcp }: TargetFacts): Observable<number | undefined> {
  if (auth !== 'bsdtcp' && auth !== 'ssl') return of(undefined);
  return tcp.pipe(
    switchMap((probed) => {
      const open = probed.find(({ probe }) => probe.kind === 'open');
      // Once more, because this process starts during the first one.
      return open === undefined ? of(undefined) : probeTcp(open.address, port, SLOW);
    }),
    map((probe) => (probe?.kind === 'open' ? probe.ms : undefined)),
  );
}

function answerTime(answer: NoopAnswer, trip: number | undefined, host: string): CheckOutcome {
  if (answer.kind === 'failed') return fine('Nothing is known.');
  const way = trip === undefined ? '' : `; a round trip takes ${trip.toFixed(1)} ms`;
  const took = `${host} answers after ${(answer.ms / 1_000).toFixed(2)} s${way}.`;
  const clock = 'No answer of Amanda carries the time of the target, so its clock is not compared.';
  return answer.ms < SLOW
    ? fine(took, [clock])
    : concern('slow-answer', {
        message: took,
        evidence: [clock],
        fix: `On ${host}, look for name servers that do not answer (/etc/resolv.conf) and for a loaded machine.`,
      });
}
