import { map, of, switchMap, type Observable } from 'rxjs';
import { isAmandaError } from '../wire/errors.js';
import { messageOf } from '../wire/text.js';
import { fault, fine, type CheckOutcome, type CheckUnit } from './check.js';
import type { Speech } from './identify.js';
import { isAmanda, type NoopAnswer, type TargetFacts } from './target-facts.js';

/** Whether an Amanda with the same auth answers there. */
export function identityChecks(facts: TargetFacts): readonly CheckUnit[] {
  if (facts.auth !== 'bsdtcp') return [];
  return [
    {
      id: 'identity.amanda',
      group: 'identity',
      needs: ['reachability.open'],
      run: () => speaker(facts),
    },
  ];
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
  answer: NoopAnswer,
  { host, port, auth }: Pick<TargetFacts, 'host' | 'port' | 'auth'>,
): CheckOutcome {
  const error = answer.kind === 'failed' ? answer.error : undefined;
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
      return fault('not-amanda', {
        message: `${place} ends the connection instead of an answer.`,
        evidence: seen,
        fix: `See on ${host} what listens on port ${port}, and its log.`,
      });
    case 'silent':
      return isAmandaError(error, 'ACK_TIMEOUT')
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
