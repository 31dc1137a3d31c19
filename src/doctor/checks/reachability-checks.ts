import { ignoreElements, map, merge, of, switchMap, type Observable } from 'rxjs';
import { bsdudp } from '../../drivers/datagram/bsdudp.js';
import { AmandaError, isAmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';
import { fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { speaksAmandaAt } from '../probes/speaks-amanda.js';
import { hangUp } from './hang-up.js';
import {
  isDatagramAuth,
  type NoopAnswer,
  type ProbedAddress,
  type TargetFacts,
} from '../target-facts.js';

/** Whether packets get there and back, and whether a connection stays open. */
export function reachabilityChecks(facts: TargetFacts): readonly CheckUnit[] {
  if (isDatagramAuth(facts.auth))
    return [
      {
        id: 'reachability.udp',
        group: 'reachability',
        needs: ['names.forward', 'privileges.source-port'],
        run: () => facts.noop.pipe(switchMap((answer) => datagrams(answer, facts))),
      },
    ];
  return [
    {
      id: 'reachability.tcp',
      group: 'reachability',
      needs: ['names.forward'],
      run: () =>
        facts.tcp.pipe(
          map((probed) => connections(probed, facts)),
          switchMap((outcome) => orDatagrams(outcome, facts)),
        ),
    },
    ...(facts.auth === 'bsdtcp'
      ? ([
          {
            id: 'reachability.open',
            group: 'reachability',
            needs: ['reachability.tcp', 'privileges.source-port'],
            run: () => staysOpen(facts),
          },
        ] satisfies readonly CheckUnit[])
      : []),
  ];
}

function connections(
  probed: readonly ProbedAddress[],
  { host, port, timing }: TargetFacts,
): CheckOutcome {
  const evidence = probed.map(({ address, probe }) => `${address}: ${describe(probe)}`);
  const seconds = timing.connectTimeout / 1_000;
  const firstOpen = probed.findIndex(({ probe }) => probe.kind === 'open');
  const firstSilent = probed.findIndex(({ probe }) => probe.kind === 'silent');
  const all = (codes: (code: string) => boolean): boolean =>
    probed.every(({ probe }) => probe.kind === 'failed' && codes(probe.code));
  if (firstSilent >= 0 && firstOpen >= 0)
    return fault('address-dropped', {
      message: `${probed[firstSilent]?.address} port ${port}, one of the addresses of ${host}, does not answer within ${seconds} s; ${probed[firstOpen]?.address} does.`,
      evidence,
      fix: `Let port ${port} through to that address, or take the address away from the name ${host}.`,
    });
  const open = probed[firstOpen]?.probe;
  if (open?.kind === 'open')
    return fine(
      `Port ${port} of ${host} takes TCP connections, within ${open.ms.toFixed(1)} ms.`,
      evidence,
    );
  if (firstSilent >= 0)
    return fault('tcp-dropped', {
      message: `${host} port ${port} does not answer within ${seconds} s: a firewall drops the packets, or the host is down.`,
      evidence,
      fix: `See whether ${host} is up, and let TCP port ${port} through each firewall on the way.`,
    });
  if (all((code) => code === 'ECONNRESET')) return hangUp('reset', host, port);
  if (!probed.some(({ probe }) => probe.kind === 'failed' && probe.code === 'ECONNREFUSED'))
    return fault('tcp-unreachable', {
      message: `${host} cannot be reached: there is no route, the host is down, or a firewall rejects the packets.`,
      evidence,
      fix: `See whether ${host} is up, whether the address and the routes are right, and what firewalls reject.`,
    });
  return fault('tcp-refused', {
    message: `${host} refuses connections to port ${port}: nothing listens there.`,
    evidence,
    fix: `On ${host}, start what listens for amandad (xinetd, inetd, systemd or rx-amandad) on port ${port}, or ask another port.`,
  });
}

/** A port that refuses TCP may be that of an amandad with auth bsd or bsdudp. */
function orDatagrams(outcome: CheckOutcome, facts: TargetFacts): Observable<CheckOutcome> {
  const { host, port, auth } = facts;
  if (outcome.kind !== 'tcp-refused' || auth === 'ssh') return of(outcome);
  return speaksAmandaAt(bsdudp({ host, port })).pipe(
    map((speaks) =>
      speaks
        ? fault('other-auth', {
            message: `${host} answers at port ${port} by UDP and not by TCP, as with auth bsd or bsdudp; it was asked with ${auth}.`,
            fix: `Ask with --auth bsd or --auth bsdudp, or give the amandad on ${host} -auth=${auth} and a TCP port.`,
          })
        : outcome,
    ),
  );
}

function describe(probe: ProbedAddress['probe']): string {
  switch (probe.kind) {
    case 'open':
      return `open, after ${probe.ms.toFixed(1)} ms`;
    case 'silent':
      return 'no answer';
    case 'failed':
      return probe.message;
  }
}

function staysOpen({ noop, speech, host, port }: TargetFacts): Observable<CheckOutcome> {
  const open = fine('The connection stays open.');
  const outcome = noop.pipe(
    switchMap((answer) => {
      if (!isHangUp(answer)) return of(open);
      return speech.pipe(
        map((spoken) =>
          spoken.kind === 'closed' || spoken.kind === 'reset'
            ? hangUp(spoken.kind, host, port)
            : open,
        ),
      );
    }),
  );
  // A late peer is listened to before noop fails, so that both end together.
  return merge(speech.pipe(ignoreElements()), outcome);
}

function isHangUp(answer: NoopAnswer): boolean {
  return (
    answer.kind === 'failed' &&
    isAmandaError(answer.error) &&
    ['CONNECTION_LOST', 'CONNECT_FAILED'].includes(answer.error.code)
  );
}

function datagrams(answer: NoopAnswer, facts: TargetFacts): Observable<CheckOutcome> {
  const { host, port, auth, tcp } = facts;
  if (answer.kind === 'answered') return of(fine(`Port ${port}/udp of ${host} answers.`));
  const { error } = answer;
  const code = error instanceof AmandaError ? error.code : undefined;
  if (code !== 'CONNECT_FAILED' && code !== 'ACK_TIMEOUT')
    return of(fine(`Port ${port}/udp of ${host} answers.`));
  return tcp.pipe(
    map((probed) => {
      const open = probed.some(({ probe }) => probe.kind === 'open');
      if (open)
        return fault('other-auth', {
          message: `${host} listens on port ${port} for TCP and not for UDP, as with auth bsdtcp; it was asked with ${auth}.`,
          evidence: [messageOf(error)],
          fix: `Ask with --auth bsdtcp, or give the amandad on ${host} -auth=${auth} and a UDP port with "wait".`,
        });
      if (code === 'ACK_TIMEOUT')
        return fault('udp-silent', {
          message: `${host} does not answer on port ${port}/udp: a firewall drops the packets, or nothing there speaks Amanda.`,
          evidence: [messageOf(error)],
          fix: `Let UDP port ${port} through, both ways, and see on ${host} whether amandad -auth=${auth} is started.`,
        });
      return fault('udp-refused', {
        message: `Nothing listens on port ${port}/udp of ${host}.`,
        evidence: [messageOf(error)],
        fix: `On ${host}, start what listens for amandad on port ${port}/udp (xinetd with socket_type = dgram and wait = yes).`,
      });
    }),
  );
}
