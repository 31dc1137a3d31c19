import {
  dlePrograms,
  levels,
  spindles,
  type Dle,
  type DleDatapath,
  type DleLevel,
  type DlePlugin,
  type DleProperty,
  type DleScript,
  type DleSelection,
} from './dle.js';
import { checkArgument, shownValue } from '../arguments.js';
import { AmandaError } from '../errors.js';
import { formatElement, formatLeaf } from './markup.js';
import { inRange, type Range } from '../ranges.js';

/**
 * A DLE as 3.5.1 writes it, `<dle>` to `</dle>` with a newline at the end.
 *
 * The backup program is where Amanda puts it: after the program in requests for estimates, else at
 * the end. Throws `BAD_DLE` for another program than the four, APPLICATION without `backupProgram`,
 * an empty disk, a NUL, and a number out of range.
 * Source: PROTOCOL.md, "Requests and replies".
 */
export function formatDle(dle: Dle): string {
  checkArgument('A DLE', dle, 'object');
  const { program, disk } = dle;
  if (!dlePrograms.includes(program))
    throw new AmandaError(
      'BAD_DLE',
      `The program of a DLE must be ${dlePrograms.join(', ')}, not ${shownValue(program)}.`,
    );
  if (program === 'APPLICATION' && dle.backupProgram === undefined)
    throw new AmandaError('BAD_DLE', 'A DLE with the program APPLICATION needs a backupProgram.');
  if (typeof disk !== 'string' || disk === '')
    throw new AmandaError(
      'BAD_DLE',
      `The disk of a DLE must be a string that is not empty, not ${shownValue(disk)}.`,
    );
  const plugin =
    dle.backupProgram === undefined
      ? ''
      : `  <backup-program>\n${formatPlugin(dle.backupProgram)}  </backup-program>\n`;
  const isEstimate = dle.estimate !== undefined;
  return [
    '<dle>\n',
    leaf('  ', 'program', dle.program),
    isEstimate ? plugin : '',
    isEstimate
      ? `  <estimate>${dle.estimate.map((method) => `${method} `).join('')}</estimate>\n`
      : '',
    leaf('  ', 'disk', dle.disk),
    leaf('  ', 'diskdevice', dle.diskdevice),
    ...(dle.levels ?? []).map(formatLevel),
    leaf('  ', 'dumpdate', dle.dumpdate),
    // Indented by four, as 3.5.1 does.
    dle.spindle === undefined
      ? ''
      : `    <spindle>${whole('spindle', dle.spindle, spindles)}</spindle>\n`,
    formatOptionElements(dle),
    isEstimate ? '' : plugin,
    ...(dle.other ?? []).map((element) => formatElement(element, '  ')),
    '</dle>\n',
  ].join('');
}

function formatOptionElements(dle: Dle): string {
  return [
    leaf('  ', 'auth', dle.auth),
    formatCoder('compress', dle.compress),
    formatCoder('encrypt', dle.encrypt),
    yesNo('record', dle.record),
    yesNo('index', dle.index),
    yesNo('kencrypt', dle.kencrypt),
    formatDatapath(dle.datapath),
    formatSelection('exclude', dle.exclude),
    formatSelection('include', dle.include),
    ...(dle.scripts ?? []).map(formatScript),
    ...(dle.properties ?? []).map(formatProperty),
  ].join('');
}

function leaf(indent: string, name: string, text: string | undefined): string {
  return text === undefined ? '' : `${indent}${formatLeaf(name, text)}\n`;
}

function yesNo(name: string, value: boolean | undefined): string {
  return leaf('  ', name, value === undefined ? undefined : value ? 'YES' : 'NO');
}

function whole(name: string, value: number, [least, most]: Range): number {
  return inRange(`The ${name} of a DLE`, value, least, most, 'BAD_DLE');
}

function formatLevel({ level, server }: DleLevel): string {
  const byServer = server === undefined ? '' : `<server>${server ? 'YES' : 'NO'}</server>`;
  return `  <level>${whole('level', level, levels)}${byServer}</level>\n`;
}

function formatCoder(
  name: 'compress' | 'encrypt',
  coder:
    | {
        readonly method: string;
        readonly program?: string | undefined;
        readonly decryptOption?: string | undefined;
      }
    | undefined,
): string {
  if (coder === undefined) return '';
  const { method, program, decryptOption } = coder;
  if (program === undefined && decryptOption === undefined)
    return `  <${name}>${method}</${name}>\n`;
  const first = program === undefined ? '\n' : `${formatLeaf(`custom-${name}-program`, program)}\n`;
  return `  <${name}>${method}${first}${leaf('    ', 'decrypt-option', decryptOption)}  </${name}>\n`;
}

function formatDatapath(datapath: DleDatapath | undefined): string {
  if (datapath === undefined) return '';
  const addresses = datapath.addresses
    .map((address) => `\n    ${formatLeaf('directtcp', address)}`)
    .join('');
  return `  <datapath>${datapath.kind}${addresses}${addresses === '' ? '' : '\n  '}</datapath>\n`;
}

function formatSelection(name: string, selection: DleSelection | undefined): string {
  if (selection === undefined) return '';
  const { files, lists, optional } = selection;
  const entries = [
    ...files.map((file) => leaf('    ', 'file', file)),
    ...lists.map((list) => leaf('    ', 'list', list)),
  ];
  return `  <${name}>\n${entries.join('')}${optional ? '    <optional>YES</optional>\n' : ''}  </${name}>\n`;
}

function formatPlugin({ plugin, properties, clientName }: DlePlugin, when = ''): string {
  return [
    leaf('    ', 'plugin', plugin),
    when,
    ...properties.map(formatProperty),
    leaf('    ', 'client_name', clientName),
  ].join('');
}

function formatScript(script: DleScript): string {
  const where = leaf('    ', 'execute_where', script.executeWhere);
  const on = leaf('    ', 'execute_on', script.executeOn.join(',') || undefined);
  return `  <script>\n${formatPlugin(script, `${where}${on}`)}  </script>\n`;
}

function formatProperty({ name, values, priority }: DleProperty): string {
  const weight = priority === true ? '      <priority>yes</priority>\n' : '';
  // 3.5.1 puts all values on one line.
  const line = values.map((value) => `      ${formatLeaf('value', value)}`).join('');
  return `    <property>\n      ${formatLeaf('name', name)}\n${weight}${line}\n    </property>\n`;
}
