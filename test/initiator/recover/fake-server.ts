import {
  EMPTY,
  NEVER,
  concat,
  concatMap,
  filter,
  firstValueFrom,
  from,
  map,
  of,
  takeWhile,
} from 'rxjs';
import { reply, type Service, type StreamHandler } from '../../../src/exchange/service.js';
import { lines } from '../../../src/operators/lines.js';
import { encodeDumpHeader, type DumpHeader } from '../../../src/wire/dumpfile.js';
import { Features } from '../../../src/wire/features.js';
import { bytes, CRC, DATA } from '../fake-target.js';

/** Answers each line with lines, until an answer has none; begins with a greeting, if any. */
export function conversation(
  greeting: string | undefined,
  answer: (line: string) => readonly string[] | undefined,
): StreamHandler {
  return (incoming) =>
    concat(
      greeting === undefined ? of() : of(greeting),
      incoming.pipe(
        lines(),
        map((line) => answer(line.replace(/\r$/, ''))),
        takeWhile((answers) => answers !== undefined),
        concatMap((answers) => from(answers)),
      ),
    ).pipe(map((line) => bytes(`${line}\r\n`)));
}

/** What the index server in these tests has. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  '2026-11-03': [
    '201- 2026-11-01-01-00-00 0 "main:lab-1:1" 1 /',
    '201- 2026-11-01-01-00-00 0 "main:lab-1:1" 1 /one.txt',
    '201- 2026-11-01-01-00-00 0 "main:lab-1:1" 1 "/gr\\\\303\\\\274n.txt"',
    '201- 2026-11-03-01-00-00 1 "main:lab-2:1,2;main:lab-3:1" 1 /two.txt',
  ],
  '2026-11-01': ['201- 2026-11-01-01-00-00 0 "main:lab-1:1" 1 /one.txt'],
};

/** An amindexd with one host, two disks and two dumps. `heard` gets each command. */
export function fakeIndexServer(heard: string[] = []): Service {
  let date = '';
  const stream = conversation('220 lab AMANDA index server (3.5.1) ready.', (command) => {
    heard.push(command);
    const [word = '', ...words] = command.split(' ');
    const value = words.join(' ');
    switch (word) {
      case 'FEATURES':
        return [`200 FEATURES ${value}`];
      case 'SCNF':
        return value === 'daily' ? ['200 Config set.'] : ['501 Could not read config file!'];
      case 'HOST':
        return value === 'db1' ? ['200 Dump host set.'] : [`501 Host ${value} is not there.`];
      case 'DISK':
        return ['200 Disk set.'];
      case 'DATE':
        date = value.slice(0, 10);
        return [`200 Working date set to ${value}.`];
      case 'LISTHOST':
        return ['200- List hosts', '201- db1', '200 List hosts'];
      case 'LISTDISK':
        return ['200- List', '201- /home', '201- "a b"', '200 List'];
      case 'DHST':
        return [
          '200- Dump history',
          '201- 2026-11-03-01-00-00 1 main:lab-2:1,2;main:lab-3:1',
          '201- 2026-11-01-01-00-00 0 main:lab-1:1',
          '200 Dump history',
        ];
      case 'OLSD':
      case 'ORLD':
        return ['200- Opaque list', ...(ENTRIES[date] ?? []), '200  Opaque list'];
      case 'DLE':
        return ['200 "<dle>\\n  <program>GNUTAR</program>\\n  <disk>/home</disk>\\n</dle>\\n"'];
      case 'BROKEN':
        return ['599-first', '599 second'];
      default:
        return word === 'QUIT' ? ['200 Good bye.'] : ['what?'];
    }
  });
  return () => of(reply({ streams: { MESG: stream } }));
}

const HEADER: DumpHeader = {
  type: 'FILE',
  datestamp: '20261103010000',
  host: 'db1',
  disk: '/a+b',
  level: 1,
  program: '/bin/tar',
  clientChecksum: { crc: Number.parseInt(CRC, 16), bytes: DATA.length },
};

export interface TapeServer {
  /** Changes the lines that follow a line of the client. */
  readonly lines?: Readonly<Record<string, readonly string[]>>;
  readonly header?: Uint8Array;
  readonly data?: string | Uint8Array;
  readonly state?: StreamHandler;
  /** Whether DATA stays open after its bytes. Default false. */
  readonly staysOpen?: boolean;
  /** Called when the client closes CTL. */
  readonly onClose?: () => void;
}

/** The conversation of amidxtaped 3.5.1. `heard` gets each line of the client. */
export function fakeTapeServer(server: TapeServer = {}, heard: string[] = []): Service {
  const { lines = {}, data = DATA, state = () => EMPTY } = server;
  const header = server.header ?? encodeDumpHeader(HEADER).subarray(0, 600);
  const steps: Readonly<Record<string, readonly string[] | undefined>> = {
    FEATURES: [`FEATURES=${Features.amanda351.toString()}`],
    END: [`HEADER-SEND-SIZE ${header.length}`],
    'HEADER-DONE': ['STATE-SEND'],
    'STATE-DONE': ['USE-DAR YES'],
    'AVAIL-DATAPATH': ['USE-DATAPATH AMANDA'],
    'DATAPATH-OK': ['DATA-SEND'],
    ...lines,
  };
  return () => {
    let sendHeader = (): void => undefined;
    let sendData = (): void => undefined;
    const talk = conversation(undefined, (line) => {
      heard.push(line);
      const [word = ''] = line.split(/[ =]/);
      if (word === 'HEADER-READY') sendHeader();
      if (word === 'DATA-READY') {
        sendData();
        return undefined;
      }
      return steps[word] ?? [];
    });
    const ctl: StreamHandler = (incoming) => {
      incoming.ends
        .pipe(filter(({ receiving }) => receiving === 'closed'))
        .subscribe(() => server.onClose?.());
      return talk(incoming);
    };
    const DATA_STREAM: StreamHandler = async function* (incoming) {
      incoming.discard();
      await new Promise<void>((resolve) => (sendHeader = resolve));
      const sent = new Promise<void>((resolve) => (sendData = resolve));
      yield header.subarray(0, 100);
      yield header.subarray(100);
      await sent;
      if (data.length > 0) yield typeof data === 'string' ? bytes(data) : data;
      if (server.staysOpen === true) await firstValueFrom(NEVER);
    };
    return of(reply({ streams: { CTL: ctl, DATA: DATA_STREAM, STATE: state } }));
  };
}
