import { hostname } from 'node:os';
import { isAbsolute } from 'node:path';
import type { IncomingRequest } from '../../exchange/service.js';
import { parseDles } from '../../wire/dle/dle-parse.js';
import type { Dle } from '../../wire/dle/dle.js';
import { AmandaError } from '../../wire/errors.js';
import type { Features } from '../../wire/features.js';
import { encodeText, messageOf, printable, decodeText } from '../../wire/text.js';
import { requestFeatures, requestOptions } from '../process/request-options.js';
import { readExcludeLists } from './exclude-lists.js';
import {
  hasDescriptorPaths,
  openBelowRoots,
  openDirectory,
  type OpenedPath,
} from './open-below.js';

/** What every request for a dump says. */
export interface DumpHead {
  readonly features: Features;
  /** The requester's name for this host. */
  readonly host: string;
  readonly dle: Dle;
  readonly level: number;
}

/** A valid request for the dump of a directory. */
export interface DumpRequest extends DumpHead {
  /** An absolute path. With roots it is open, and its receiver closes it. */
  readonly directory: OpenedPath;
  /** Patterns of what is left out. */
  readonly excludes: readonly string[];
  /** Optional; more patterns, one a line. */
  readonly excludeList: Uint8Array | undefined;
}

/** Limits what may be dumped. */
export interface DumpPermission {
  /**
   * Only these directories and their contents, and only exclude lists in them. A root may be a
   * link; below it no link is followed. Needs Linux with /proc. Default: all that is readable.
   */
  readonly roots?: readonly string[] | undefined;
  /** Whether an entry may be dumped. Default: yes. */
  readonly allow?:
    ((dle: Dle, request: IncomingRequest) => boolean | PromiseLike<boolean>) | undefined;
}

/**
 * Reads a request for the dump of a directory.
 *
 * Rejects with `BAD_REQUEST` when the request is malformed or not supported, and with
 * `ACCESS_DENIED`. The message is the text of the reply's ERROR line.
 */
export async function readDumpRequest(
  request: IncomingRequest,
  permission: DumpPermission,
): Promise<DumpRequest> {
  const head = readDumpHead(request);
  const unsupported = whatIsUnsupported(head.dle);
  if (unsupported !== undefined) throw refuse(`[sendbackup: ${unsupported}]`);
  const directory = await permitted(head.dle, request, permission);
  const { exclude = { files: [], lists: [], optional: false } } = head.dle;
  try {
    const excludeList = await readExcludeLists(exclude, directory, permission.roots);
    return { ...head, directory, excludes: exclude.files, excludeList };
  } catch (error) {
    await directory.handle?.close();
    throw error;
  }
}

/** Reads what every request for a dump says. Throws `BAD_REQUEST`. */
export function readDumpHead(request: IncomingRequest): DumpHead {
  const options = requestOptions(request.arguments);
  if (options.entries.length === 0) throw refuse('[Missing OPTIONS line in sendbackup input]');
  const dle = oneDle(request.arguments);
  const [level, another] = dle.levels ?? [];
  if (level === undefined) throw malformed('no valid sendbackup request');
  if (another !== undefined) throw malformed('Too many level');
  return {
    features: requestFeatures(options),
    host: options.hostname ?? hostname(),
    dle,
    level: level.level,
  };
}

/** The DLEs after the OPTIONS line of a request. Throws `BAD_REQUEST` when they are malformed. */
export function requestDles(args: Uint8Array): readonly Dle[] {
  const newline = args.indexOf(0x0a);
  try {
    return parseDles(newline < 0 ? '' : decodeText(args.subarray(newline + 1)));
  } catch (error) {
    throw malformed(messageOf(error));
  }
}

function oneDle(args: Uint8Array): Dle {
  const [dle, another] = requestDles(args);
  if (dle === undefined) throw malformed('One DLE required');
  if (another !== undefined) throw malformed('Only one DLE allowed');
  return dle;
}

/** The first setting of an entry that no dump of ours supports, as a sentence. */
function whatIsUnsupported({
  program,
  compress,
  encrypt,
  kencrypt,
  datapath,
  include,
  scripts,
}: Dle): string | undefined {
  if (program === 'APPLICATION')
    return 'programs of type APPLICATION are not supported here, only GNUTAR is';
  if (program !== 'GNUTAR') return `unknown program ${printable(program, 40)}`;
  if (compress !== undefined && !compress.method.startsWith('SERVER-'))
    return 'compression on the client is not supported here';
  if (encrypt?.method === 'CUSTOM' || kencrypt === true)
    return 'encryption on the client is not supported here';
  if (datapath?.kind === 'DIRECTTCP') return 'the data path DIRECTTCP is not supported here';
  if (include !== undefined && include.files.length + include.lists.length > 0)
    return 'include lists are not supported here';
  return scripts === undefined ? undefined : 'scripts are not supported here';
}

async function permitted(
  dle: Dle,
  request: IncomingRequest,
  { roots, allow }: DumpPermission,
): Promise<OpenedPath> {
  const named = dle.diskdevice ?? dle.disk;
  const denied = new AmandaError(
    'ACCESS_DENIED',
    `[sendbackup: ${printable(named)} is not offered for backup here]`,
  );
  if (!isAbsolute(named) || named.includes('\0'))
    throw refuse(`[sendbackup: ${printable(named)} is not the absolute path of a directory]`);
  if (allow !== undefined && !(await allow(dle, request))) throw denied;
  if (roots === undefined) return openedAnywhere(named);
  if (!(await hasDescriptorPaths()))
    throw new AmandaError(
      'ACCESS_DENIED',
      '[sendbackup: directories below roots can be dumped only on Linux with /proc]',
    );
  try {
    return { path: named, handle: await openBelowRoots(roots, named, 'directory') };
  } catch {
    // A path that does not exist is not offered either.
    throw denied;
  }
}

/** A program gets a path that is not UTF-8 by its descriptor, because Node has only text for it. */
async function openedAnywhere(path: string): Promise<OpenedPath> {
  const isText = Buffer.from(encodeText(path)).equals(Buffer.from(path));
  if (isText || !(await hasDescriptorPaths())) return { path };
  try {
    return { path, handle: await openDirectory(path) };
  } catch (error) {
    throw refuse(`[sendbackup: ${printable(path)}: ${messageOf(error)}]`);
  }
}

function malformed(why: string): AmandaError {
  return refuse(`FORMAT ERROR IN REQUEST PACKET '${printable(why)}'`);
}

function refuse(why: string): AmandaError {
  return new AmandaError('BAD_REQUEST', why);
}
