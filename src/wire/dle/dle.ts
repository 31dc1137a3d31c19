import type { Element } from './markup.js';
import type { Range } from '../ranges.js';

export const dlePrograms = ['DUMP', 'GNUTAR', 'STAR', 'APPLICATION'] as const;
export const estimateMethods = ['CLIENT', 'SERVER', 'CALCSIZE'] as const;
export const compressionMethods = [
  'FAST',
  'BEST',
  'CUSTOM',
  'SERVER-FAST',
  'SERVER-BEST',
  'SERVER-CUSTOM',
] as const;
export const encryptionMethods = ['NO', 'CUSTOM', 'SERVER-CUSTOM'] as const;
export const datapathKinds = ['AMANDA', 'DIRECTTCP'] as const;

/** The levels of dumps; 0 is a full dump. */
export const levels: Range = [0, 399];
export const spindles: Range = [-0x8000_0000, 0x7fff_ffff];

/** What makes a dump, as the protocol names it; not the path of a program. */
export type DleProgram = (typeof dlePrograms)[number];

/** How a client estimates the size of a dump. */
export type EstimateMethod = (typeof estimateMethods)[number];

/**
 * An entry of a server's disk list, as a request for a dump, an estimate or a check carries it.
 * Source: PROTOCOL.md, "Requests and replies".
 */
export interface Dle {
  /** Usually GNUTAR. APPLICATION needs {@link backupProgram}; Amanda 3.5.1 lacks STAR. */
  readonly program: DleProgram;
  /** The name of the entry. */
  readonly disk: string;
  /** What to back up, usually a directory; undefined when it is {@link disk}. */
  readonly diskdevice?: string | undefined;
  /** How sizes may be estimated, best first; only in requests for estimates and checks. */
  readonly estimate?: readonly EstimateMethod[] | undefined;
  /** The level to dump, or several to estimate. */
  readonly levels?: readonly DleLevel[] | undefined;
  /** The date of the previous dump. */
  readonly dumpdate?: string | undefined;
  /** Entries with the same number are not dumped at the same time; −1 for any. */
  readonly spindle?: number | undefined;
  /** The name of the driver. */
  readonly auth?: string | undefined;
  /** Compression on the client; absent means none. */
  readonly compress?: DleCompression | undefined;
  /** Encryption on the client; absent means none. */
  readonly encrypt?: DleEncryption | undefined;
  /** Whether a later incremental dump may build on this one. Absent means true to Amanda. */
  readonly record?: boolean | undefined;
  /** Whether an INDEX stream is wanted. Absent means false to Amanda. */
  readonly index?: boolean | undefined;
  /** Whether Kerberos encrypts the dump; only with auth krb5. Absent means false. */
  readonly kencrypt?: boolean | undefined;
  /** How the data travel; absent means AMANDA. */
  readonly datapath?: DleDatapath | undefined;
  /** What to leave out. */
  readonly exclude?: DleSelection | undefined;
  /** The only things to take. */
  readonly include?: DleSelection | undefined;
  /** Programs to run before and after. */
  readonly scripts?: readonly DleScript[] | undefined;
  /** Properties of the entry itself. */
  readonly properties?: readonly DleProperty[] | undefined;
  /** The application, for the program APPLICATION. */
  readonly backupProgram?: DlePlugin | undefined;
  /** Unknown elements, as they came. */
  readonly other?: readonly Element[] | undefined;
}

/** The level of a dump: 0 is a full one, n what changed since the last one of a lower level. */
export interface DleLevel {
  /** 0 … 399; 0 is a full dump. */
  readonly level: number;
  /** Whether the server can estimate this level itself. */
  readonly server?: boolean | undefined;
}

/** How a dump is compressed on the client. */
export interface DleCompression {
  readonly method: (typeof compressionMethods)[number];
  /** The program, for the CUSTOM ones. */
  readonly program?: string | undefined;
}

/** How a dump is encrypted on the client. */
export interface DleEncryption {
  readonly method: (typeof encryptionMethods)[number];
  readonly program?: string | undefined;
  readonly decryptOption?: string | undefined;
}

/** How the data of a dump travel. */
export interface DleDatapath {
  readonly kind: (typeof datapathKinds)[number];
  /** `address:port`, for DIRECTTCP. */
  readonly addresses: readonly string[];
}

/** What to leave out, or the only thing to take. */
export interface DleSelection {
  /** Patterns. */
  readonly files: readonly string[];
  /** Names of files that hold patterns. */
  readonly lists: readonly string[];
  /** Whether such a file may be missing. */
  readonly optional: boolean;
}

/** A property of an application or a script. */
export interface DleProperty {
  readonly name: string;
  readonly values: readonly string[];
  readonly priority?: boolean | undefined;
}

/** An Amanda application that makes the dump. */
export interface DlePlugin {
  /** Its name, such as `amgtar`. */
  readonly plugin: string;
  /** Its properties. */
  readonly properties: readonly DleProperty[];
  /** The name of its definition on the client. */
  readonly clientName?: string | undefined;
}

/** A program to run before or after. */
export interface DleScript extends DlePlugin {
  /** `CLIENT` or `SERVER`. */
  readonly executeWhere?: string | undefined;
  /** Such as PRE-DLE-BACKUP. */
  readonly executeOn: readonly string[];
}
