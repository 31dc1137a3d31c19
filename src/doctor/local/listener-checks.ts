import { of } from 'rxjs';
import { AMANDA_PORT } from '../../wire/role.js';
import { concern, fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { UNSEEN_OWNER } from './port-owner.js';
import { isListening, portOf, type ConfiguredListener } from './listener-files.js';
import type { LocalFacts } from './local-facts.js';
import { mayDo } from './system-files.js';

/** What starts amandad, and with which words. */
export function listenerChecks(facts: LocalFacts): readonly CheckUnit[] {
  return [
    { id: 'local.listener', group: 'local', needs: [], run: () => of(listener(facts)) },
    {
      id: 'local.server',
      group: 'local',
      needs: ['local.listener', 'local.user'],
      run: () => of(server(facts)),
    },
    {
      id: 'local.services',
      group: 'local',
      needs: ['local.listener'],
      run: () => of(services(facts)),
    },
    {
      id: 'local.listening',
      group: 'local',
      needs: ['local.listener'],
      run: () => of(listening(facts)),
    },
  ];
}

function enabled({ listeners }: LocalFacts): readonly ConfiguredListener[] {
  return listeners.filter(({ isDisabled }) => !isDisabled);
}

function place({ by, file }: ConfiguredListener): string {
  return `${by} (${file})`;
}

function listener(facts: LocalFacts): CheckOutcome {
  const all = enabled(facts);
  const [first] = all;
  if (first === undefined) {
    const [off] = facts.listeners;
    const owner = facts.ownerOf(AMANDA_PORT);
    if (off === undefined && owner !== undefined)
      return fine(`Port ${AMANDA_PORT} is open: ${owner}.`);
    return off === undefined
      ? fault('no-listener', {
          message: 'Nothing starts amandad: neither xinetd, inetd nor systemd names it.',
          fix: 'Install xinetd and /etc/xinetd.d/amanda, or a socket unit of systemd for rx-amandad.',
        })
      : fault('listener-disabled', {
          message: `${place(off)} has amandad switched off.`,
          fix:
            off.by === 'xinetd'
              ? `Set disable = no in ${off.file}, and restart xinetd.`
              : `Remove the "#" before the line in ${off.file}, and restart inetd.`,
        });
  }
  const port = portOf(first, facts.files);
  const same = all.find(
    (other) =>
      other.by !== first.by &&
      other.protocol === first.protocol &&
      portOf(other, facts.files) === port,
  );
  if (same !== undefined)
    return concern('port-twice', {
      message: `Both ${place(first)} and ${place(same)} want port ${port}/${first.protocol}.`,
      fix: 'Switch one of them off.',
    });
  return fine(`${place(first)} starts amandad for port ${port}/${first.protocol}.`);
}

/** The first finding of all enabled listeners. */
function firstFinding(
  facts: LocalFacts,
  judge: (listener: ConfiguredListener) => CheckOutcome | undefined,
  well: string,
): CheckOutcome {
  return enabled(facts).flatMap((one) => judge(one) ?? [])[0] ?? fine(well);
}

function server(facts: LocalFacts): CheckOutcome {
  const { files, user, userName } = facts;
  return firstFinding(
    facts,
    (one) => {
      const stat = files.stat(one.server);
      if (stat === undefined || !stat.isFile())
        return fault('program-missing', {
          message: `${place(one)} starts ${one.server || 'nothing'}, which is not there.`,
          fix: `Name the path of amandad there, such as /usr/lib/amanda/amandad.`,
        });
      if (user !== undefined && !mayDo(user, 'execute', stat))
        return fault('program-missing', {
          message: `${user.name} may not execute ${one.server}, which ${place(one)} starts.`,
          fix: `chmod 755 ${one.server}`,
        });
      if (one.user !== '' && files.user(one.user) === undefined)
        return fault('no-amanda-user', {
          message: `${place(one)} starts amandad as ${one.user}, and there is no such user.`,
          fix: `Name ${userName} there.`,
        });
      if (one.by === 'xinetd' && (one.protocol === 'udp') !== one.waits && isReal(one))
        return fault('listener-wait', {
          message: `${place(one)} has wait = ${one.waits ? 'yes' : 'no'} for ${one.protocol}; amandad needs ${one.waits ? 'no' : 'yes'}.`,
          fix: `Set wait = ${one.waits ? 'no' : 'yes'} in ${one.file}, and restart xinetd.`,
        });
      if (one.hasNoNewPrivileges)
        return fault('no-new-privileges', {
          message: `${place(one)} sets NoNewPrivileges, so runtar and the other set-user-ID programs have no rights.`,
          fix: `Set NoNewPrivileges=no in ${one.file}; then systemctl daemon-reload and restart it.`,
        });
      return undefined;
    },
    'The program can be started.',
  );
}

/** rx-amandad serves many connections with wait = yes. */
function isReal({ server, args }: ConfiguredListener): boolean {
  return ![server, ...args].some((word) => word.includes('rx-amandad'));
}

const authNames: ReadonlySet<string> = new Set([
  ...['bsd', 'bsdtcp', 'bsdudp', 'ssl', 'local', 'ssh', 'rsh', 'krb5'],
]);

const serviceNames: ReadonlySet<string> = new Set([
  ...['amdump', 'noop', 'selfcheck', 'sendsize', 'sendbackup', 'senddiscover', 'restore'],
  ...['amindexd', 'amidxtaped', 'amdumpd', 'ambackupd'],
]);

function services(facts: LocalFacts): CheckOutcome {
  return firstFinding(
    facts,
    (one) => {
      const words = one.args.filter((word) => !word.startsWith('/') && !word.endsWith('amandad'));
      const auth = words.find((word) => word.startsWith('-auth='))?.slice('-auth='.length);
      if (auth === undefined || !authNames.has(auth.toLowerCase()))
        return fault('listener-auth', {
          message:
            auth === undefined
              ? `${place(one)} starts amandad without -auth=, which then means bsd over UDP.`
              : `${place(one)} starts amandad with -auth=${auth}, which is no auth.`,
          fix: `Add -auth=bsdtcp to the arguments in ${one.file}, and restart ${one.by}.`,
        });
      const isDatagram = auth === 'bsd' || auth === 'bsdudp';
      if (isDatagram !== (one.protocol === 'udp'))
        return fault('listener-auth', {
          message: `${place(one)} listens by ${one.protocol}, and auth ${auth} needs ${isDatagram ? 'udp' : 'tcp'}.`,
          fix: `Make -auth= and the protocol in ${one.file} agree, and restart ${one.by}.`,
        });
      const named = words.filter((word) => !word.startsWith('-'));
      const unknown = named.find((word) => !serviceNames.has(word));
      if (unknown !== undefined)
        return fault('service-not-enabled', {
          message: `${place(one)} starts amandad with "${unknown}", which is no service; then it refuses every request.`,
          fix: `Remove ${unknown} from the arguments in ${one.file}, and restart ${one.by}.`,
        });
      const isBackup = ['noop', 'selfcheck', 'sendsize', 'sendbackup'].every((service) =>
        named.includes(service),
      );
      if (named.length > 0 && !named.includes('amdump') && !isBackup)
        return fault('service-not-enabled', {
          message: `${place(one)} enables ${named.join(', ')} only, so backups are refused.`,
          fix: `Add amdump to the arguments in ${one.file}, and restart ${one.by}.`,
        });
      return undefined;
    },
    'The services of a backup are enabled.',
  );
}

/** What may hold the port of an amandad. */
const starters = /(^|[\s/])(init|systemd\S*|x?inetd|(?:open|rl)bsd-inetd|\S*amandad\S*)(\s|$)/;

/** The program that holds a port and starts no amandad; undefined if none is seen. */
function strangerAt(port: number, { ownerOf }: LocalFacts): string | undefined {
  const owner = ownerOf(port);
  return owner === undefined || owner === UNSEEN_OWNER || starters.test(owner) ? undefined : owner;
}

/** `Port 10080 is open: PROGRAM.`, for the first listener by TCP. */
function heldBy(facts: LocalFacts): string {
  const tcp = enabled(facts).find(({ protocol }) => protocol === 'tcp');
  const port = tcp === undefined ? undefined : portOf(tcp, facts.files);
  const owner = port === undefined ? undefined : facts.ownerOf(port);
  return owner === undefined ? 'The port is open.' : `Port ${port} is open: ${owner}.`;
}

function listening(facts: LocalFacts): CheckOutcome {
  return firstFinding(
    facts,
    (one) => {
      const port = portOf(one, facts.files);
      const stranger = one.protocol === 'tcp' ? strangerAt(port, facts) : undefined;
      if (stranger !== undefined)
        return fault('port-twice', {
          message: `Port ${port} belongs to another program than ${place(one)} starts: ${stranger}.`,
          fix: `Give that program another port, and restart ${one.by}.`,
        });
      return isListening(port, one.protocol, facts.files) === false
        ? fault('not-listening', {
            message: `${place(one)} should listen on port ${port}/${one.protocol}, and nothing does.`,
            fix:
              one.by === 'systemd'
                ? 'systemctl enable --now the socket unit, and see its status.'
                : `Start ${one.by} (systemctl restart ${one.by}), and see its log.`,
          })
        : undefined;
    },
    heldBy(facts),
  );
}
