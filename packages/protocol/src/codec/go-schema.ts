import * as v from 'valibot';

/** What a client may send where the engine holds `T`: every field may be missing or null, at any depth. */
export type WireInput<T> = T extends readonly (infer E)[]
  ? readonly WireInput<E>[]
  : T extends object
    ? { readonly [K in keyof T]?: WireInput<Exclude<T[K], null>> | null | undefined }
    : T;

/** One schema for every field of `T`. */
export type StructEntries<T extends object> = { readonly [K in keyof T]-?: v.GenericSchema<unknown, T[K]> };

/** A schema that turns what a client sends into a complete `T`. */
export type WireSchema<T, I = WireInput<T>> = v.GenericSchema<I, T>;

/** Keys to values, in the order of the document. Any key is data, also `__proto__`. */
export type StringMap<T> = Readonly<Record<string, T>>;

/** `{}`: Go's `struct{}`, the value of a set's keys. */
export type EmptyObject = Readonly<Record<string, never>>;

/** Go's integer types that Docker's requests use. */
export type GoInt = 'int' | 'int64' | 'uint64' | 'uint16' | 'uint';

const GO_INT_RANGES: Readonly<Record<GoInt, readonly [number, number]>> = {
  int: [-(2 ** 63), 2 ** 63],
  int64: [-(2 ** 63), 2 ** 63],
  uint64: [0, 2 ** 64],
  uint16: [0, 2 ** 16 - 1],
  uint: [0, 2 ** 64],
};

/** Text; null in a list is the empty text, as in Go. */
export const goString: v.GenericSchema<string, string> = v.pipe(
  v.nullable(v.string(), '') as v.GenericSchema<string, string>,
  v.metadata({ go: 'string' }),
);

/** A whole number of Go's type `go`; beyond 2^53 it is the nearest that JavaScript has. @__NO_SIDE_EFFECTS__ */
export function goInt(go: GoInt): v.GenericSchema<number, number> {
  const [min, max] = GO_INT_RANGES[go];
  return v.pipe(v.number(), v.metadata({ go }), v.integer(), v.minValue(min), v.maxValue(max));
}

/** An object with known fields, unknown ones ignored; `go` is the struct's name in refusals. @__NO_SIDE_EFFECTS__ */
export function goStruct<T extends object>(go: string, entries: StructEntries<T>): WireSchema<T> {
  // valibot takes a list for an object; Go does not.
  const schema: v.GenericSchema<unknown, unknown> = v.pipe(
    v.custom(isPlainObject),
    v.object(entries),
    v.metadata({ go }),
  );
  return schema as WireSchema<T>;
}

/** The fields of two structs as one's. A function, because a spread may run code, for all a bundler knows. @__NO_SIDE_EFFECTS__ */
export function joinEntries<A extends object, B extends object>(entries: A, more: B): A & B {
  return { ...entries, ...more };
}

/** A list of `item`. @__NO_SIDE_EFFECTS__ */
export function goList<T, I>(item: v.GenericSchema<I, T>): v.GenericSchema<readonly I[], readonly T[]> {
  return v.array(item);
}

/** A map of `value`; unlike valibot's record it keeps keys such as `constructor`. @__NO_SIDE_EFFECTS__ */
export function goMap<T, I>(value: v.GenericSchema<I, T>): v.GenericSchema<StringMap<I>, StringMap<T>> {
  const schema = v.pipe(
    v.custom<StringMap<unknown>>(isPlainObject),
    v.metadata({ goValue: value }),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const entries: [string, T][] = [];
      for (const [key, input] of Object.entries(dataset.value)) {
        const result = v.safeParse(value, input);
        if (result.success) {
          entries.push([key, result.output]);
          continue;
        }
        const [issue] = result.issues;
        const here = { type: 'object' as const, origin: 'value' as const, input: dataset.value, key, value: input };
        addIssue({ message: issue.message, input: issue.input, path: [here, ...(issue.path ?? [])] });
        return NEVER;
      }
      return Object.fromEntries(entries);
    }),
  );
  return schema as v.GenericSchema<StringMap<I>, StringMap<T>>;
}

/** A list whose single element may be sent as a plain text. Source: moby api/types/strslice. */
export const stringOrList: v.GenericSchema<string | readonly string[], readonly string[]> = v.pipe(
  v.union([v.string(), goList(goString)]),
  v.metadata({ go: '[]string' }),
  v.transform((value) => (typeof value === 'string' ? [value] : value)),
);

/** Missing and null become `absent`. @__NO_SIDE_EFFECTS__ */
export function orElse<T, I, const D>(
  schema: v.GenericSchema<I, T>,
  absent: D,
): v.GenericSchema<I | null | undefined, T | D> {
  const optional: v.GenericSchema<unknown, unknown> = v.nullish(schema as v.GenericSchema, absent);
  return optional as v.GenericSchema<I | null | undefined, T | D>;
}

/** Missing and null become what the schema makes of `{}`. @__NO_SIDE_EFFECTS__ */
export function orEmpty<T, I>(schema: v.GenericSchema<I, T>): v.GenericSchema<I | null | undefined, T> {
  const optional: v.GenericSchema<unknown, unknown> = v.nullish(schema as v.GenericSchema, {});
  return optional as v.GenericSchema<I | null | undefined, T>;
}

/** Text, `''` when missing. */
export const textField: v.GenericSchema<string | null | undefined, string> = orElse(goString, '');

/** Boolean, false when missing. */
export const boolField: v.GenericSchema<boolean | null | undefined, boolean> = orElse(goBool(), false);

/** Boolean, null when missing: Go's `*bool`. */
export const nullableBoolField: v.GenericSchema<boolean | null | undefined, boolean | null> = orElse(goBool(), null);

/** Whole number, 0 when missing. */
export const int64Field: v.GenericSchema<number | null | undefined, number> = orElse(goInt('int64'), 0);

/** As `int64Field`. */
export const intField: v.GenericSchema<number | null | undefined, number> = orElse(goInt('int'), 0);

/** List of texts, null when missing. */
export const textsOrNull: v.GenericSchema<readonly string[] | null | undefined, readonly string[] | null> = orElse(
  goList(goString),
  null,
);

/** List of texts, empty when missing. */
export const textsOrNone: v.GenericSchema<readonly string[] | null | undefined, readonly string[]> = orElse(
  goList(goString),
  [],
);

/** Map of texts, empty when missing. */
export const textMapField: v.GenericSchema<StringMap<string> | null | undefined, StringMap<string>> = orEmpty(
  goMap(goString),
);

/** What Go calls the type of a schema, as far as it was said or follows from its kind. */
export function goTypeOf(schema: v.GenericSchema): string {
  const { go, goValue } = metadataOf(schema);
  if (typeof go === 'string') return go;
  if (isSchema(goValue)) return `map[string]${goTypeOf(goValue)}`;
  const inner = unwrap(schema);
  if ('item' in inner && isSchema(inner.item)) return `[]${goTypeOf(inner.item)}`;
  return inner === schema ? inner.type : goTypeOf(inner);
}

/** The schemas behind `nullish`, `nullable`, `optional`; itself when there is none. */
export function unwrap(schema: v.GenericSchema): v.GenericSchema {
  return 'wrapped' in schema && isSchema(schema.wrapped) ? unwrap(schema.wrapped) : schema;
}

/** The schema of one field, element or value of `schema`; undefined when it has none. */
export function schemaAt(schema: v.GenericSchema, key: PropertyKey): v.GenericSchema | undefined {
  const inner = unwrap(schema);
  const { goValue } = metadataOf(inner);
  if (isSchema(goValue)) return goValue;
  if ('item' in inner && isSchema(inner.item)) return inner.item;
  const field: unknown = entriesOf(inner)?.[String(key)];
  return isSchema(field) ? field : undefined;
}

/** The fields of an object schema; undefined for any other. */
export function entriesOf(schema: v.GenericSchema): Readonly<Record<string, unknown>> | undefined {
  const inner = unwrap(schema);
  const steps: readonly unknown[] = 'pipe' in inner ? (inner.pipe as readonly unknown[]) : [inner];
  for (const step of steps) {
    if (isSchema(step) && 'entries' in step) return step.entries as Readonly<Record<string, unknown>>;
  }
  return undefined;
}

// @__NO_SIDE_EFFECTS__
function goBool(): v.GenericSchema<boolean, boolean> {
  return v.pipe(v.boolean(), v.metadata({ go: 'bool' }));
}

function metadataOf(schema: v.GenericSchema): Readonly<Record<string, unknown>> {
  return v.getMetadata(schema);
}

function isPlainObject(input: unknown): boolean {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema';
}
