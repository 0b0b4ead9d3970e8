import { type EventMessage, formatLogTimestamp, NANOS_PER_MS } from '@fairlead/protocol';
import { type Command, noArguments } from '../../command.ts';
import { list, text } from '../../flags/flag-types.ts';
import { parseFilterFlags } from '../../flags/filters.ts';
import { parseMoment } from '../../flags/timestamp.ts';
import { plainJson } from '../../format/go-template-value.ts';
import { parseTemplate } from '../../format/go-template.ts';

/** `fairlead events` */
export const eventsCommand: Command = {
  name: 'events',
  usage: '[OPTIONS]',
  summary: 'Get real time events from the engine',
  args: noArguments,
  define(flags) {
    const filter = flags.add('filter,f', 'Filter output based on conditions provided', list('filter'));
    const format = flags.add('format', "Format output using a custom template: 'json' or 'TEMPLATE'", text());
    const since = flags.add('since', 'Show all events created since timestamp', text());
    const until = flags.add('until', 'Stream events until this timestamp', text());
    return async (context) => {
      const print = printer(format.value);
      const now = new Date();
      const client = await context.client();
      const feed = client.events({
        ...(since.value === '' ? {} : { since: parseMoment(since.value, now) }),
        ...(until.value === '' ? {} : { until: parseMoment(until.value, now) }),
        ...(filter.value.length > 0 ? { filters: parseFilterFlags(filter.value) } : {}),
      });
      for await (const item of feed) if (item.kind === 'event') await context.out(`${print(item.event)}\n`);
      return 0;
    };
  },
};

function printer(format: string): (event: EventMessage) => string {
  if (format === '') return eventLine;
  if (format === 'json') return plainJson;
  const template = parseTemplate(format);
  return (event) => template.render(event);
}

/** `2026-11-22T10:43:26.007361120Z container start 12ab… (image=busybox, name=web)`. Source: docker/cli system/events.go. */
function eventLine(event: EventMessage): string {
  const attributes = Object.entries(event.Actor.Attributes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const suffix = attributes.length > 0 ? ` (${attributes.join(', ')})` : '';
  return `${formatLogTimestamp(nanosOf(event))} ${event.Type} ${event.Action} ${event.Actor.ID}${suffix}`;
}

/** A double does not hold nanoseconds since 1970 exactly: the seconds come from the field that does. */
function nanosOf({ time, timeNano }: EventMessage): bigint {
  return timeNano > 0 ? BigInt(timeNano) : BigInt(time * 1000) * NANOS_PER_MS;
}
