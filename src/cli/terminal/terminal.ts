/** The abilities of a terminal, as options of `toText`. */
export interface Terminal {
  /** Columns. */
  readonly width: number;
  readonly color: boolean;
  readonly unicode: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The width when it is unknown. */
const DEFAULT_WIDTH = 80;
/** The upper bound for COLUMNS. */
const WIDEST = 1_000;

/**
 * Detects the abilities of an output. The width is the terminal's, else COLUMNS, else 80.
 *
 * Colour takes a terminal other than `dumb`, and NO_COLOR unset; FORCE_COLOR (except `0` and
 * `false`) overrides that. Unicode takes a UTF-8 locale.
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
  // A new terminal, or a fake one, may report 0.
  if (columns !== undefined && columns > 0) return Math.min(WIDEST, columns);
  return /^[1-9]\d{0,8}$/.test(COLUMNS) ? Math.min(WIDEST, Number(COLUMNS)) : DEFAULT_WIDTH;
}

function hasColor({ FORCE_COLOR, NO_COLOR = '', TERM }: Environment, isTTY: boolean): boolean {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTTY && NO_COLOR === '' && TERM !== 'dumb';
}

/** As in every C library, the first variable that is set and not empty counts. */
function hasUnicode({ LC_ALL = '', LC_CTYPE = '', LANG = '' }: Environment): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== '') ?? '';
  return /utf-?8/i.test(locale);
}
