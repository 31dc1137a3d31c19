/** What a terminal can show: the options of `toText`. */
export interface Terminal {
  /** Columns. */
  readonly width: number;
  readonly color: boolean;
  readonly unicode: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where nobody says how wide it is. */
const DEFAULT_WIDTH = 80;
/** Wider than anybody reads, and a bound for whatever is set in COLUMNS. */
const WIDEST = 1_000;

/**
 * Finds out what an output can show. Its width is the terminal's, else COLUMNS, else 80. It has colour when it is a terminal other than
 * `dumb` and NO_COLOR is not set; FORCE_COLOR (but for `0` and `false`) gives colour in any case. It has more than ASCII when the locale says UTF-8.
 */
export function terminalOf(
  env: Environment,
  { isTTY = false, columns }: { readonly isTTY?: boolean; readonly columns?: number },
): Terminal {
  return {
    width: widthOf(env, isTTY ? columns : undefined),
    color: hasColor(env, isTTY),
    unicode: hasUnicode(env),
  };
}

function widthOf({ COLUMNS = '' }: Environment, columns: number | undefined): number {
  // A terminal that has just been opened, or is no real one, may say 0.
  if (columns !== undefined && columns > 0) return Math.min(WIDEST, columns);
  return /^[1-9]\d{0,8}$/.test(COLUMNS) ? Math.min(WIDEST, Number(COLUMNS)) : DEFAULT_WIDTH;
}

function hasColor({ FORCE_COLOR, NO_COLOR = '', TERM }: Environment, isTTY: boolean): boolean {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTTY && NO_COLOR === '' && TERM !== 'dumb';
}

/** The first of the three that is set and not empty counts, as in every C library. */
function hasUnicode({ LC_ALL = '', LC_CTYPE = '', LANG = '' }: Environment): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== '') ?? '';
  return /utf-?8/i.test(locale);
}
