import type { CliCommand } from '../command.js';

/** An option of a command, for manuals and completions. */
export interface DescribedOption {
  readonly name: string;
  readonly short: string | undefined;
  /** The word for its value, such as `FILE`; undefined for an option without one. */
  readonly value: string | undefined;
  /** The first sentence or so of the help, without line ends. */
  readonly text: string;
}

/** The options of a command: what its table says, with the texts of its help. */
export function describedOptions({
  help,
  options,
}: Pick<CliCommand, 'help' | 'options'>): readonly DescribedOption[] {
  return Object.entries(options).map(([name, { type, short }]) => {
    const { value, text } = lineOf(help, name);
    return { name, short, value: type === 'string' ? (value ?? 'VALUE') : undefined, text };
  });
}

function lineOf(help: string, name: string): { value: string | undefined; text: string } {
  const pattern = new RegExp(
    `^ {2}--${name}(?:, -\\w)?(?: (\\S+))? {1,}(?=\\S)(.*(?:\\n {20,}\\S.*)*)$`,
    'm',
  );
  const [, value, text = ''] = pattern.exec(help) ?? [];
  const isValue = value !== undefined && /^[[A-Z-]/.test(value);
  const words = `${value === undefined || isValue ? '' : `${value} `}${text}`;
  return { value: isValue ? value : undefined, text: words.replace(/\s+/g, ' ').trim() };
}
