import type { Dle, DlePlugin, DleScript, DleSelection } from '../../wire/dle/dle.js';
import type { FeatureName } from '../../wire/feature-names.js';
import type { Features } from '../../wire/features.js';
import type { DisklistEntry } from './disklist.js';
import type { PluginSettings } from './plugins.js';
import type { Settings } from './settings.js';

/** Where Amanda's dumptypes have a default of their own. */
const defaults = { program: 'DUMP', auth: 'BSDTCP', compress: 'FAST', decrypt: '-d' } as const;

/** The disk of an entry as a request for a check or an estimate has it. Amanda's defaults hold. */
export function dleOf(
  { disk, device, settings }: Pick<DisklistEntry, 'disk' | 'device' | 'settings'>,
  target: Features,
): Dle {
  const program = settings.program?.value ?? defaults.program;
  const isPlain = program === 'DUMP' || program === 'GNUTAR';
  const application = settings.application?.value;
  const scripts = (settings.script?.value ?? []).toSorted(
    (one, other) => orderOf(one) - orderOf(other),
  );
  return {
    program: isPlain ? program : 'APPLICATION',
    disk,
    diskdevice: device,
    estimate: settings.estimate?.value ?? ['CLIENT'],
    auth: settings.auth?.value ?? defaults.auth,
    compress: compressOf(settings),
    encrypt: encryptOf(settings),
    record: settings.record?.value ?? true,
    index: settings.index?.value === false ? undefined : true,
    kencrypt: settings.kencrypt?.value === true ? true : undefined,
    datapath: datapathOf(settings, target),
    exclude: selectionOf(settings.exclude?.value),
    include: selectionOf(settings.include?.value),
    scripts: scripts.length === 0 ? undefined : scripts.map(scriptOf),
    backupProgram: isPlain ? undefined : pluginOf(application ?? {}),
  };
}

/**
 * Why a disk cannot be asked about, as amcheck says it: settings that contradict each other, and
 * what the target does not support.
 */
export function dleProblems(settings: Settings, target: Features): readonly string[] {
  const { program, application, compress, encrypt } = settings;
  const isApplication = program?.value === 'APPLICATION' || program?.value === 'STAR';
  const isClientEncrypted = encrypt?.value === 'CLIENT';
  const lacking = (
    method: string | undefined,
    wanted: string,
    name: 'client-custom-compress' | 'server-custom-compress' | 'client-encrypt' | 'server-encrypt',
  ): boolean => method === wanted && (settings[name]?.value ?? '') === '';
  const contradictions: readonly [boolean, string][] = [
    [
      isApplication && (application?.value.plugin ?? '') === '',
      'program is APPLICATION, and no application has a plugin',
    ],
    [
      lacking(compress?.value, 'CUSTOM', 'client-custom-compress'),
      'compress is client custom, and client-custom-compress is not set',
    ],
    [
      lacking(compress?.value, 'SERVER-CUSTOM', 'server-custom-compress'),
      'compress is server custom, and server-custom-compress is not set',
    ],
    [
      lacking(encrypt?.value, 'CLIENT', 'client-encrypt'),
      'encrypt is client, and client-encrypt is not set',
    ],
    [
      lacking(encrypt?.value, 'SERVER', 'server-encrypt'),
      'encrypt is server, and server-encrypt is not set',
    ],
    [
      isClientEncrypted && compress?.value.startsWith('SERVER') === true,
      'the client encrypts, so the server cannot compress',
    ],
  ];
  return [
    ...contradictions.filter(([is]) => is).map(([, text]) => text),
    ...needsOf(settings)
      .filter(([is, feature]) => is && !target.has(feature))
      .map(([, feature, what]) => `the target does not support ${what} (${feature})`),
  ];
}

/** What a disk needs: whether it does, the feature, and its name for a person. */
function needsOf(settings: Settings): readonly [boolean, FeatureName, string][] {
  const { program, compress, encrypt, record, index, kencrypt, exclude, include } = settings;
  const kind = program?.value ?? defaults.program;
  const method = compress?.value ?? defaults.compress;
  const [left, taken] = [exclude?.value, include?.value];
  return [
    [kind === 'DUMP', 'fe_program_dump', 'dump'],
    [kind === 'GNUTAR', 'fe_program_gnutar', 'GNU tar'],
    [kind === 'APPLICATION', 'fe_program_application_api', 'applications'],
    [method === 'FAST', 'fe_options_compress_fast', 'fast compression'],
    [method === 'BEST', 'fe_options_compress_best', 'best compression'],
    [method === 'CUSTOM', 'fe_options_compress_cust', 'custom compression'],
    [encrypt?.value === 'CLIENT', 'fe_options_encrypt_cust', 'encryption'],
    [record?.value === false, 'fe_options_no_record', 'dumps without a record'],
    [index?.value !== false, 'fe_options_index', 'an index'],
    [kencrypt?.value === true, 'fe_options_kencrypt', 'kencrypt'],
    [(left?.files.length ?? 0) > 0, 'fe_options_exclude_file', 'exclude'],
    [(left?.lists.length ?? 0) > 0, 'fe_options_exclude_list', 'exclude list'],
    [left?.optional === true, 'fe_options_optional_exclude', 'exclude optional'],
    [(taken?.files.length ?? 0) > 0, 'fe_options_include_file', 'include'],
    [(taken?.lists.length ?? 0) > 0, 'fe_options_include_list', 'include list'],
    [taken?.optional === true, 'fe_options_optional_include', 'include optional'],
  ];
}

/** `exclude` without a name says nothing. */
function selectionOf(selection: DleSelection | undefined): DleSelection | undefined {
  return selection === undefined || selection.files.length + selection.lists.length === 0
    ? undefined
    : selection;
}

function compressOf(settings: Settings): Dle['compress'] {
  const method = settings.compress?.value ?? defaults.compress;
  if (method === 'NONE') return undefined;
  if (method === 'CUSTOM')
    return { method, program: settings['client-custom-compress']?.value ?? '' };
  if (method === 'SERVER-CUSTOM')
    return { method, program: settings['server-custom-compress']?.value ?? '' };
  return { method };
}

function datapathOf(settings: Settings, target: Features): Dle['datapath'] {
  const kind = settings['data-path']?.value ?? 'AMANDA';
  const isKnown =
    target.has('fe_xml_data_path') && (kind === 'AMANDA' || target.has('fe_xml_directtcp_list'));
  return isKnown ? { kind, addresses: [] } : undefined;
}

/** Encryption by the server is no matter of the target. */
function encryptOf(settings: Settings): Dle['encrypt'] {
  if (settings.encrypt?.value !== 'CLIENT') return undefined;
  return {
    method: 'CUSTOM',
    program: settings['client-encrypt']?.value ?? '',
    decryptOption: settings['client-decrypt-option']?.value ?? defaults.decrypt,
  };
}

function pluginOf({ plugin = '', properties = [], clientName }: PluginSettings): DlePlugin {
  const named = clientName === undefined || clientName === '' ? {} : { clientName };
  return { plugin, properties, ...named };
}

function orderOf({ order = 5_000 }: PluginSettings): number {
  return order;
}

function scriptOf(script: PluginSettings): DleScript {
  const { executeOn = [], executeWhere = 'CLIENT' } = script;
  return { ...pluginOf(script), executeOn, executeWhere };
}
