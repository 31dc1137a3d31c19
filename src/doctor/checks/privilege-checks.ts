import { createServer } from 'node:net';
import { Observable } from 'rxjs';
import { tcpSourcePorts } from '../../drivers/tcp-source-ports.js';
import { fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { isDatagramAuth, type TargetFacts } from '../target-facts.js';

/** Whether this user may do what the driver needs. */
export function privilegeChecks({ auth }: TargetFacts): readonly CheckUnit[] {
  if (auth !== 'bsdtcp' && !isDatagramAuth(auth)) return [];
  return [
    {
      id: 'privileges.source-port',
      group: 'privileges',
      needs: [],
      run: () => reservedPort(),
    },
  ];
}

/** Ports to try before all count as busy. */
const MAX_PORTS = 32;

/** Binds one reserved port for a moment. */
function reservedPort(): Observable<CheckOutcome> {
  return new Observable((out) => {
    const ports = tcpSourcePorts().slice(0, MAX_PORTS);
    const end = (outcome: CheckOutcome): void => {
      out.next(outcome);
      out.complete();
    };
    const attempt = (at: number): void => {
      const port = ports[at];
      if (port === undefined) {
        end(busy(ports.length));
        return;
      }
      const server = createServer();
      server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
        if (code === 'EADDRINUSE') attempt(at + 1);
        else end(code === 'EACCES' ? forbidden(message) : fine(`Not tried: ${message}.`));
      });
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
        server.close(() => end(fine('This user may use source ports below 1024.')));
      });
    };
    attempt(0);
  });
}

function forbidden(seen: string): CheckOutcome {
  return fault('no-reserved-port', {
    message: 'This user may not use a source port below 1024, which the target demands.',
    evidence: [seen],
    fix: 'Run this as root, give node CAP_NET_BIND_SERVICE, or lower the sysctl net.ipv4.ip_unprivileged_port_start.',
  });
}

function busy(tried: number): CheckOutcome {
  return fault('reserved-ports-busy', {
    message: `No source port below 1024 is free; ${tried} were tried.`,
    fix: 'See with "ss -tn" which program uses the ports from 512 to 1023.',
  });
}
