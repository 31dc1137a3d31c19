import { execFile } from 'node:child_process';
import { Observable } from 'rxjs';
import { withPipes } from '../../transport/child-pipes.js';
import type { SshOptions } from '../../drivers/ssh.js';

/** Where ssh connects to by its configuration. */
export interface SshDestination {
  readonly host: string;
  readonly port: number;
  /** Whether another host or a command is between. */
  readonly isDirect: boolean;
}

const DEFAULT_PORT = 22;

/** Asks ssh for its configuration of a host; it connects nowhere. */
export function sshDestination({
  host,
  port,
  clientUsername,
  sshOptions = [],
  command = 'ssh',
}: SshOptions): Observable<SshDestination> {
  const args = [
    '-G',
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(clientUsername === undefined ? [] : ['-l', clientUsername]),
    ...sshOptions,
    '--',
    host,
  ];
  return new Observable((out) => {
    const abort = new AbortController();
    const options = { signal: abort.signal, encoding: 'utf8' as const, maxBuffer: 1_048_576 };
    withPipes(3, () =>
      execFile(command, args, options, (_, stdout) => {
        if (out.closed) return;
        const settings = new Map(
          stdout.split('\n').map((line) => {
            const [name = '', ...value] = line.split(' ');
            return [name, value.join(' ')] as const;
          }),
        );
        const isSet = (name: string): boolean => !/^(|none)$/.test(settings.get(name) ?? '');
        out.next({
          host: settings.get('hostname') ?? host,
          port: Number(settings.get('port') ?? port ?? DEFAULT_PORT),
          isDirect: !isSet('proxyjump') && !isSet('proxycommand'),
        });
        out.complete();
      }),
    );
    return () => {
      abort.abort();
    };
  });
}
