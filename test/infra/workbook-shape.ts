/**
 * The workbook as Azure reads it, so much of it as this one uses:
 * https://github.com/microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json names the items and their
 * members, but lets any other member through; here none is let through, because the portal passes over what it does not
 * know without a word.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../local/started.ts';

const ITEM = { name: z.string().regex(/^[a-z-]+$/) };
const OVER_THE_COMPONENT = {
  queryType: z.literal(0),
  resourceType: z.literal('microsoft.insights/components'),
};
const timed = { timeContextFromParameter: z.literal('TimeRange') };

const text = z.strictObject({
  ...ITEM,
  type: z.literal(1),
  content: z.strictObject({ json: z.string() }),
});
const query = z.strictObject({
  ...ITEM,
  type: z.literal(3),
  customWidth: z.string().regex(/^\d+$/).optional(),
  content: z.strictObject({
    ...OVER_THE_COMPONENT,
    ...timed,
    version: z.literal('KqlItem/1.0'),
    query: z.string(),
    size: z.literal(0),
    title: z.string(),
    noDataMessage: z.string(),
    visualization: z.enum(['table', 'areachart', 'barchart', 'timechart']),
  }),
});
const PARAMETER = { id: z.guid(), version: z.literal('KqlParameterItem/1.0'), isRequired: z.literal(true) };
const parameters = z.strictObject({
  ...ITEM,
  type: z.literal(9),
  content: z.strictObject({
    ...OVER_THE_COMPONENT,
    version: z.literal('KqlParameterItem/1.0'),
    style: z.literal('pills'),
    parameters: z.tuple([
      z.strictObject({
        ...PARAMETER,
        name: z.literal('TimeRange'),
        label: z.string(),
        type: z.literal(4),
        value: z.strictObject({ durationMs: z.int() }),
        typeSettings: z.strictObject({
          selectableValues: z.array(z.strictObject({ durationMs: z.int() })),
          allowCustom: z.literal(true),
        }),
      }),
      z.strictObject({
        ...PARAMETER,
        ...OVER_THE_COMPONENT,
        ...timed,
        name: z.literal('App'),
        type: z.literal(2),
        description: z.string(),
        multiSelect: z.literal(true),
        quote: z.literal("'"),
        delimiter: z.literal(','),
        query: z.string(),
        value: z.tuple([z.literal('value::all')]),
        typeSettings: z.strictObject({
          additionalResourceOptions: z.tuple([z.literal('value::all')]),
          selectAllValue: z.literal('*'),
        }),
      }),
    ]),
  }),
});
const tabs = z.strictObject({
  ...ITEM,
  type: z.literal(11),
  content: z.strictObject({
    version: z.literal('LinkItem/1.0'),
    style: z.literal('tabs'),
    links: z.array(
      z.strictObject({
        id: z.guid(),
        cellValue: z.literal('View'),
        linkTarget: z.literal('parameter'),
        linkLabel: z.string(),
        subTarget: z.string(),
        style: z.literal('link'),
      }),
    ),
  }),
});
const view = z.strictObject({
  ...ITEM,
  type: z.literal(12),
  content: z.strictObject({
    version: z.literal('NotebookGroup/1.0'),
    groupType: z.literal('editable'),
    items: z.tuple([text], query),
  }),
  conditionalVisibility: z.strictObject({
    parameterName: z.literal('View'),
    comparison: z.literal('isEqualTo'),
    value: z.string(),
  }),
});
const workbook = z.strictObject({
  version: z.literal('Notebook/1.0'),
  items: z.tuple([parameters, tabs], view),
  // Bicep puts the id of the component in its place.
  fallbackResourceIds: z.tuple([z.literal('COMPONENT')]),
  $schema: z.literal(
    'https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json',
  ),
});

export function readWorkbook(): z.infer<typeof workbook> {
  return workbook.parse(JSON.parse(readFileSync(join(root, 'infra/workbook.json'), 'utf8')));
}

/** Every query of it, with the parameters that the portal puts in before it asks. */
export function workbookQueries(): readonly { readonly name: string; readonly query: string }[] {
  const [{ content }, , ...views] = readWorkbook().items;
  const [, app] = content.parameters;
  const all = [
    { name: 'App', query: app.query },
    ...views.flatMap(({ content: { items } }) => {
      const [, ...queries] = items;
      return queries.map(({ name, content }) => ({ name, query: content.query }));
    }),
  ];
  return all.map(({ name, query }) => ({
    name,
    query: query.replaceAll('{App}', "'*'").replaceAll('{TimeRange:grain}', '5m'),
  }));
}
