import { filter, map, merge, of, switchMap, take, timer, type Observable } from 'rxjs';
import { isAmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';
import { fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { identify, type Speech } from '../probes/identify.js';
import type { TlsObservation } from '../probes/observe-tls.js';
import { listenTo } from '../probes/probe-tcp.js';
import type { TlsFactsOfTarget } from '../tls-facts.js';
import { hangUp } from './hang-up.js';
import { isAmanda, type NoopAnswer, type TargetFacts } from '../target-facts.js';

/** Whether an Amanda with the same auth answers there. */
export function identityChecks(
  facts: TargetFacts,
  tls: TlsFactsOfTarget | undefined,
): readonly CheckUnit[] {
  const unit = (needs: readonly string[], run: CheckUnit['run']): readonly CheckUnit[] => [
    { id: 'identity.amanda', group: 'identity', needs, run },
  ];
  switch (facts.auth) {
    case 'bsdtcp':
      return unit(['reachability.open'], () => speaker(facts));
    case 'ssl':
      return tls === undefined
        ? []
        : unit(['reachability.tcp'], () => tlsSpeaker(facts, tls.session));
    case 'ssh':
      return unit(['reachability.tcp'], () => sshSpeaker(facts));
    default:
      return [];
  }
}

/** A handshake that is later than this has the peer identified meanwhile. */
const LATE_HANDSHAKE = 1_000;

function tlsSpeaker(
  facts: TargetFacts,
  session: Observable<TlsObservation>,
): Observable<CheckOutcome> {
  const isTls = (observed: TlsObservation): boolean =>
    observed.kind === 'session' || observed.code.includes('_ALERT_');
  const tlsAnswers = fine('TLS answers.');
  const fails = session.pipe(filter((observed) => !isTls(observed)));
  const spoken = atOpenAddress(facts, (address) =>
    identify(address, facts.port, facts.auth).pipe(
      map((speech) => {
        if (speech.kind === 'tls') return tlsAnswers;
        return speech.kind === 'silent' ? silentTls(facts) : stranger(speech, undefined, facts);
      }),
    ),
  );
  return merge(
    session.pipe(
      filter(isTls),
      map(() => tlsAnswers),
    ),
    merge(timer(LATE_HANDSHAKE), fails).pipe(
      take(1),
      switchMap(() => spoken),
    ),
  ).pipe(take(1));
}

function silentTls({ host, port }: TargetFacts): CheckOutcome {
  return fault('silent-peer', {
    message: `${host} port ${port} takes the connection and does not answer the TLS handshake.`,
    fix: `See the log of amandad on ${host}. An amandad with auth ssl is silent when it finds no name for this host's address (ssl-check-host), or cannot use its own certificate and key.`,
  });
}

/** The time for an SSH server's greeting. */
const GREETING_WITHIN = 3_500;

function sshSpeaker(facts: TargetFacts): Observable<CheckOutcome> {
  const { host, port, auth } = facts;
  return atOpenAddress(facts, (address) =>
    listenTo(address, port, '', GREETING_WITHIN, (bytes) => bytes.includes(0x0a)).pipe(
      switchMap(({ bytes }) =>
        Buffer.from(bytes).toString('latin1').startsWith('SSH-')
          ? of(fine(`An SSH server answers at port ${port} of ${host}.`))
          : identify(address, port, auth).pipe(map((spoken) => stranger(spoken, undefined, facts))),
      ),
    ),
  );
}

function atOpenAddress(
  { tcp }: TargetFacts,
  look: (address: string) => Observable<CheckOutcome>,
): Observable<CheckOutcome> {
  return tcp.pipe(
    switchMap((probed) => {
      const open = probed.find(({ probe }) => probe.kind === 'open');
      return open === undefined ? of(fine('No address is open.')) : look(open.address);
    }),
  );
}

function speaker(facts: TargetFacts): Observable<CheckOutcome> {
  return facts.noop.pipe(
    switchMap((answer) =>
      isAmanda(answer)
        ? of(fine(`An Amanda answers with auth ${facts.auth}.`))
        : facts.speech.pipe(map((spoken) => stranger(spoken, answer, facts))),
    ),
  );
}

/** The finding for a peer that is no Amanda of the same auth. */
export function stranger(
  speech: Speech,
  answer: NoopAnswer | undefined,
  { host, port, auth }: Pick<TargetFacts, 'host' | 'port' | 'auth'>,
): CheckOutcome {
  const error = answer?.kind === 'failed' ? answer.error : undefined;
  const seen = error === undefined ? [] : [messageOf(error)];
  const place = `${host} port ${port}`;
  switch (speech.kind) {
    case 'service':
      return fault('other-service', {
        message: `${place} is ${speech.name}, not an Amanda.`,
        evidence: [`It says: ${speech.said}`],
        fix: `Ask the port of amandad (--port, client-port), or make amandad listen on port ${port} of ${host}.`,
      });
    case 'tls':
      return fault('other-auth', {
        message: `${place} speaks TLS, as an amandad with auth ssl does; it was asked with auth ${auth}.`,
        evidence: [`Its certificate is for: ${speech.subject ?? 'unknown'}`],
        fix: `Ask with --auth ssl, or give the amandad on ${host} -auth=${auth}.`,
      });
    case 'bsdtcp':
      return fault('other-auth', {
        message: `${place} is an amandad with auth bsdtcp; it was asked with auth ${auth}.`,
        evidence: seen,
        fix: `Ask with --auth bsdtcp, or give the amandad on ${host} -auth=${auth}.`,
      });
    case 'unknown':
      return fault('not-amanda', {
        message: `${place} is not an Amanda with auth ${auth}.`,
        evidence: [`It says: ${speech.said}`],
        fix: `Ask the port of amandad (--port, client-port), and see on ${host} what listens on port ${port}.`,
      });
    case 'closed':
    case 'reset':
      return hangUp(speech.kind, host, port);
    case 'silent':
      return error === undefined || isAmandaError(error, 'ACK_TIMEOUT')
        ? fault('silent-peer', {
            message: `${place} takes the connection and says nothing.`,
            evidence: seen,
            fix: `On ${host}, see what listens on port ${port}. An amandad that cannot reach its name server is silent too: check its /etc/resolv.conf. A longer --timeout waits for it.`,
          })
        : fault('not-amanda', {
            message: `${place} does not answer as an amandad with auth ${auth} does.`,
            evidence: seen,
            fix: `See on ${host} what listens on port ${port}, and with which -auth its amandad is started.`,
          });
  }
}
