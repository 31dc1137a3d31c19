import { join } from 'node:path';
import { forkJoin, map, of, switchMap, type Observable } from 'rxjs';
import { decide } from '../../access/amandahosts.js';
import { checkPeerName } from '../../access/peer.js';
import { AMANDA_PORT } from '../../wire/role.js';
import { fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { localFacts, type LocalFacts } from '../local/local-facts.js';
import { probeTcp, type TcpProbe } from '../probes/probe-tcp.js';
import { sourceAddress } from '../probes/source-address.js';
import type { TargetFacts } from '../target-facts.js';

/** Whether amrecover on the target can reach amindexd here; none unless it is asked for. */
export function wayBackChecks(facts: TargetFacts): readonly CheckUnit[] {
  if (facts.options.bothWays !== true) return [];
  return [
    {
      id: 'way-back.index',
      group: 'way-back',
      needs: ['names.forward'],
      run: () => wayBack(facts),
    },
  ];
}

/** The time for connecting to this host, and for a look-up. */
const WITHIN = 2_000;

function wayBack(facts: TargetFacts): Observable<CheckOutcome> {
  return facts.addresses.pipe(
    switchMap((found) => {
      const target = (found.find(({ family }) => family === 4) ?? found[0])?.address;
      if (target === undefined) return of(fine('The target has no address.'));
      return forkJoin({
        own: sourceAddress(target, facts.port),
        named: checkPeerName({ address: target }, { within: WITHIN, ...facts.options.names }),
      }).pipe(
        switchMap(({ own, named }) => {
          if (own === undefined) return of(fine('There is no route to the target.'));
          const client = named.kind === 'named' ? named.host : facts.host;
          return probeTcp(own, AMANDA_PORT, WITHIN).pipe(
            map((probe) => judge(probe, own, client, target, localFacts({}))),
          );
        }),
      );
    }),
  );
}

function judge(
  probe: TcpProbe,
  own: string,
  client: string,
  address: string,
  local: LocalFacts,
): CheckOutcome {
  if (probe.kind !== 'open')
    return fault('index-unreachable', {
      message: `Nothing listens on port ${AMANDA_PORT} of this host at ${own}, where amrecover on ${client} asks for amindexd.`,
      evidence: probe.kind === 'failed' ? [probe.message] : [],
      fix: 'Start xinetd with amandad -auth=bsdtcp amdump amindexd amidxtaped on this host, at all its addresses.',
    });
  const recovery = ['amindexd', 'amidxtaped'];
  const listener = local.listeners.find(
    ({ isDisabled, protocol }) => !isDisabled && protocol === 'tcp',
  );
  const lacking = recovery.find((service) => listener?.args.includes(service) === false);
  if (listener !== undefined && lacking !== undefined)
    return fault('service-not-enabled', {
      message: `amandad on this host is started without ${lacking}, so amrecover on ${client} is refused.`,
      fix: `Add ${recovery.join(' and ')} to amandad's arguments in ${listener.file}, and restart ${listener.by}.`,
    });
  return rule(client, address, local);
}

/** Whether .amandahosts of this host lets root of the target recover. */
function rule(client: string, address: string, { files, user }: LocalFacts): CheckOutcome {
  const file = join(user?.home ?? '/', '.amandahosts');
  const text = user === undefined ? undefined : files.text(file);
  if (user === undefined || text === undefined)
    return fine(`The port is open; ${file} of this host was not readable.`);
  const verdict = decide(text, {
    host: client,
    address,
    user: 'root',
    service: 'amindexd',
    localUser: user.name,
    file,
  });
  return verdict.kind === 'allowed'
    ? fine(`amrecover on ${client} may ask this host.`, [
        'A firewall between the two cannot be seen from here.',
      ])
    : fault('amandahosts-line', {
        message: `amrecover on ${client} is refused here: ${file} of this host has no line for it.`,
        fix: `Add this line to ${file} on this host: ${client} root amindexd amidxtaped`,
      });
}
