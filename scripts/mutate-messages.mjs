// A plugin of Stryker: texts that only people read are not changed.
//
// Those are string and template literals with a space in them. They stand in what is thrown, among
// the arguments of `new SomeError(…)`, or in a call of a function of the file that returns one.
// The rest is changed: codes, texts of the wire, and conditions that choose between messages.
import { PluginKind, declareValuePlugin } from '@stryker-mutator/api/plugin';

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'messages', {
    shouldIgnore: (path) =>
      isProse(path) && path.findParent(makesError) !== null ? 'the text of an error' : undefined,
  }),
];

function isProse(path) {
  if (path.isStringLiteral()) return path.node.value.includes(' ');
  return path.isTemplateLiteral() && path.node.quasis.some(({ value }) => value.raw.includes(' '));
}

function makesError(path) {
  if (path.isThrowStatement()) return true;
  if (path.isNewExpression()) return /Error$/.test(path.node.callee.name);
  if (!path.isCallExpression()) return false;
  const { node } = path.scope.getBinding(path.node.callee.name)?.path ?? {};
  return node?.returnType?.typeAnnotation?.typeName?.name === 'AmandaError';
}
