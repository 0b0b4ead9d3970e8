import type { KernelView } from './kernel-view.ts';

/** A container as the engine shows it. */
export interface ShownContainer {
  readonly Id: string;
  readonly Name: string;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Paused: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Error: string;
  };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly EndpointID: string }>> };
}

/** An event of a container, as the engine tells it. */
export interface ToldEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string };
}

/** Everything in which the engine's containers and the kernel differ, a sentence each; none when they agree. */
export function disagreements(kernel: KernelView, containers: readonly ShownContainer[]): readonly string[] {
  const known = new Set(containers.map(({ Id }) => Id));
  const links = new Set(containers.filter(({ State }) => State.Running).flatMap(linksOf));
  return [
    ...containers.flatMap((container) => differences(kernel, container)),
    ...strangers('a monitor', kernel.monitors.keys(), known),
    ...strangers('a cgroup', kernel.cgroups.keys(), known),
    ...strangers('a directory', kernel.directories, known),
    ...strangers('a state of the runtime', kernel.states, known),
    ...kernel.links.filter((link) => !links.has(link)).map((link) => `link ${link} belongs to no running container`),
    ...[...links].filter((link) => !kernel.links.includes(link)).map((link) => `link ${link} is missing`),
    ...kernel.helpers.map((line) => `left running: ${line}`),
    ...kernel.leftovers.map((path) => `left behind: ${path}`),
  ];
}

/** Events that are missing or were told twice, a sentence each. */
export function wrongEvents(events: readonly ToldEvent[], containers: readonly ShownContainer[]): readonly string[] {
  const byContainer = new Map<string, string[]>();
  for (const { Type, Action, Actor } of events) {
    if (Type === 'container') byContainer.set(Actor.ID, [...(byContainer.get(Actor.ID) ?? []), Action]);
  }
  const shown = new Map(containers.map((container) => [container.Id, container]));
  const ids = new Set([...byContainer.keys(), ...shown.keys()]);
  return [...ids].flatMap((id) => wrongOf(byContainer.get(id) ?? [], id, shown.get(id)));
}

function differences(kernel: KernelView, { Id, Name, State }: ShownContainer): readonly string[] {
  const wanted = State.Running ? 1 : 0;
  const pids = kernel.cgroups.get(Id) ?? [];
  const facts: readonly (readonly [string, number, number])[] = [
    ['monitors', kernel.monitors.get(Id)?.length ?? 0, wanted],
    ['states of the runtime', kernel.states.filter((id) => id === Id).length, wanted],
    ['mounts', kernel.mounts.filter((path) => path.includes(`/${Id}/`)).length, wanted],
    ['cgroups', kernel.cgroups.has(Id) ? 1 : 0, wanted],
    ['first processes', pids.includes(State.Pid) ? 1 : 0, wanted],
    ['frozen groups', kernel.frozen.has(Id) ? 1 : 0, State.Paused ? 1 : 0],
    ['directories', kernel.directories.filter((id) => id === Id).length, 1],
  ];
  return facts
    .filter(([, has, wants]) => has !== wants)
    .map(([what, has, wants]) => `${Name} is ${State.Status} and has ${has} ${what} instead of ${wants}`);
}

/** As drivers/net names them: by the endpoint. */
function linksOf({ NetworkSettings }: ShownContainer): readonly string[] {
  return Object.values(NetworkSettings.Networks).flatMap(({ EndpointID }) =>
    EndpointID === '' ? [] : [`flv${EndpointID.slice(0, 12)}`],
  );
}

function strangers(what: string, ids: Iterable<string>, known: ReadonlySet<string>): readonly string[] {
  return [...ids].filter((id) => !known.has(id)).map((id) => `${what} of ${id.slice(0, 12)}, which is no container`);
}

function wrongOf(actions: readonly string[], id: string, container: ShownContainer | undefined): readonly string[] {
  const count = (action: string): number => actions.filter((other) => other === action).length;
  const running = container?.State.Running === true ? 1 : 0;
  const facts: readonly (readonly [string, number, number])[] = [
    ['create', count('create'), 1],
    ['destroy', count('destroy'), container === undefined ? 1 : 0],
    ['die for a start', count('die'), count('start') - running],
  ];
  return facts
    .filter(([, has, wants]) => has !== wants)
    .map(
      ([what, has, wants]) =>
        `${container?.Name ?? id.slice(0, 12)}: told ${has} ${what} instead of ${wants} (${actions.join(' ')})`,
    );
}
