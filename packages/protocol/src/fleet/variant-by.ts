import * as v from 'valibot';

type Options = readonly v.ObjectSchema<v.ObjectEntries, undefined>[];

/**
 * valibot's `variant`, which tries its options one after the other, with the option looked up instead: for what is checked thousands of
 * times a second. The field named `key` is a literal or a picklist in each of them; what is none of them gets `variant`'s own words.
 */
export function variantBy<const O extends Options>(
  key: string,
  options: O,
): v.GenericSchema<unknown, v.InferOutput<O[number]>> {
  const byName = new Map<unknown, O[number]>();
  for (const option of options) for (const name of namesOf(option.entries[key])) byName.set(name, option);
  const unknown = v.variant(key, options);
  return v.lazy((value) => byName.get(fieldOf(value, key)) ?? unknown);
}

function namesOf(discriminator: v.ObjectEntries[string] | undefined): readonly unknown[] {
  if (discriminator === undefined) return [];
  if ('literal' in discriminator) return [discriminator.literal];
  return 'options' in discriminator && Array.isArray(discriminator.options) ? discriminator.options : [];
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
