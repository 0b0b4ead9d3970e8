import type { Behaviour, Behaviours, Proof } from '@fairlead/conformance';
import type { Statement } from './engine-api-statements.ts';
import type { Finding } from './source-tree.ts';
import type { HasTitle } from './test-titles.ts';

const SAYS_FILE = 'docs/engine-api.md';
const SHOWS_FILE = 'conformance/behaviours/behaviours.ts';
/** What is behind the last numbered section that the engine is held to word by word. */
const SECTIONS = /^[1-8](?:\.|$)/;

/** What the document is made of. */
export interface BehaviourSources {
  /** Of docs/engine-api.md. */
  readonly statements: readonly Statement[];
  readonly behaviours: Behaviours;
  /** Names of the differential suite's. */
  readonly scenes: ReadonlySet<string>;
}

/** Every statement that nobody shows, row that nobody says, and proof that is not there. */
export function checkBehaviours(
  { statements, behaviours, scenes }: BehaviourSources,
  has: HasTitle,
): readonly Finding[] {
  const complain = (message: string): Finding => ({ file: SHOWS_FILE, line: 1, message });
  const silent = statements
    .filter((statement) => SECTIONS.test(statement.section) && behaviourOf(behaviours, statement) === undefined)
    .map(({ section, text, line }) => ({
      ...{ file: SAYS_FILE, line },
      message: `${section} says “${text.slice(0, 60)}…”: say in ${SHOWS_FILE} which test shows it`,
    }));
  const rows = Object.entries(behaviours).flatMap(([section, list]) => list.map((row) => ({ section, row })));
  const odd = rows.flatMap(({ section, row }) => {
    const count = statements.filter((each) => each.section === section && each.text.startsWith(row.says)).length;
    const isShown = row.shownBy.length > 0 || row.aside !== undefined;
    return [
      ...(count === 1
        ? []
        : [complain(`${section} has ${count} statements that begin with “${row.says}”: there must be one`)]),
      ...(isShown ? [] : [complain(`${section} “${row.says}”: nothing shows it`)]),
      ...row.shownBy
        .flatMap((proof) => missing(proof, scenes, has))
        .map((words) => complain(`${section} “${row.says}”: ${words}`)),
    ];
  });
  return [...silent, ...odd];
}

function missing(proof: Proof, scenes: ReadonlySet<string>, has: HasTitle): readonly string[] {
  if ('scene' in proof) return scenes.has(proof.scene) ? [] : [`there is no scene '${proof.scene}'`];
  return has(proof.file, proof.title) ? [] : [`there is no test '${proof.title}' in ${proof.file}`];
}

function behaviourOf(behaviours: Behaviours, { section, text }: Statement): Behaviour | undefined {
  return behaviours[section]?.find((row) => text.startsWith(row.says));
}

/** The document. */
export function engineApiTests({ statements, behaviours }: BehaviourSources): string {
  const held = statements.filter(({ section }) => SECTIONS.test(section));
  const shown = held.filter((statement) => (behaviourOf(behaviours, statement)?.shownBy.length ?? 0) > 0);
  const sections = [...new Set(held.map(({ section }) => section))];
  return [
    '# What shows what engine-api.md says',
    '',
    '<!-- Made by `make compatibility`; the gate checks that it is current. What it says is in conformance/behaviours. -->',
    '',
    `Every sentence and every row of [engine-api.md](engine-api.md), sections 1 to 8, with the tests that would fail if it were not so: ${shown.length} of`,
    `${held.length} are shown. *Compared*: scenes of the differential suite, in which dockerd and Fairlead are asked the same and have to answer alike.`,
    'The gate refuses a sentence without a row here, a row without a sentence, and a test or scene that is not there.',
    '',
    ...sections.flatMap((section) => [
      `## ${section}`,
      '',
      '| it says | shown by |',
      '|---|---|',
      ...held
        .filter((statement) => statement.section === section)
        .map((statement) => `| ${cell(statement.text)} | ${proofCell(behaviourOf(behaviours, statement))} |`),
      '',
    ]),
  ].join('\n');
}

function proofCell(behaviour: Behaviour | undefined): string {
  // The check refuses such a document; it is made all the same, so that one can look.
  if (behaviour === undefined) return 'nothing';
  if (behaviour.aside !== undefined) return `not shown: ${cell(behaviour.aside)}`;
  const tests = new Map<string, string[]>();
  const scenes: string[] = [];
  for (const proof of behaviour.shownBy) {
    if ('scene' in proof) scenes.push(cell(proof.scene));
    else tests.set(proof.file, [...(tests.get(proof.file) ?? []), cell(proof.title)]);
  }
  return [
    ...[...tests].map(([file, titles]) => `[${file.replace(/^.*\//, '')}](../${file}): ${titles.join('; ')}`),
    ...(scenes.length === 0 ? [] : [`compared: ${scenes.join('; ')}`]),
  ].join('<br>');
}

/** Links lead from another directory here: they would lead nowhere, and are said without. */
function cell(words: string): string {
  return words
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/(?<!\\)\|/g, '\\|')
    .replaceAll('<br>', ' ');
}
