/** Services and their servers, live; the one that is chosen beside them. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Rates } from "../../../src/ipvs/services/statistics.ts";
import { health, rates, serviceNames, snapshot } from "../daemon/live.ts";
import { useKeys } from "../frame/keys.ts";
import { bitRate, short, whole } from "../frame/numbers.ts";
import { isUnlocked } from "../frame/preferences.ts";
import { formatRoute, go, type Route } from "../frame/route.ts";
import { useStore } from "../frame/store.ts";
import { VirtualList } from "../frame/virtual-list.tsx";
import { AddService } from "./add-service.tsx";
import { type DestinationRow, forwardingName, type Row, rowsOf, type ServiceRow } from "./rows.ts";
import { ServiceDetail } from "./service-detail.tsx";
import { Sparkline } from "./sparkline.tsx";
import { say } from "./words.ts";

const ROW_HEIGHT = 34;

export function Services({ route }: { readonly route: Route }): JSX.Element {
  const { services } = useStore(snapshot)!;
  const known = useStore(health);
  const isOpen = useStore(isUnlocked);
  const names = useStore(serviceNames);
  const [filter, setFilter] = useState(route.query.filter ?? "");
  const rows = useMemo(
    () => rowsOf({ services, health: known, names }, filter),
    [services, known, names, filter],
  );
  const [current, setCurrent] = useState<string | undefined>(undefined);
  const list = useRef<HTMLDivElement>(null);
  const chosen = route.path[1];
  const move = (step: number): void => {
    const index = rows.findIndex(({ key }) => key === current);
    const next = rows[Math.min(rows.length - 1, Math.max(0, index + step))];
    if (next !== undefined) setCurrent(next.key);
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => {
      const row = rows.find(({ key }) => key === current);
      if (row !== undefined) go(pathOf(row));
    },
    Escape: () => {
      const { activeElement: active } = document;
      if (active instanceof HTMLInputElement) active.blur();
      else if (chosen !== undefined) go(["services"]);
    },
  });
  useEffect(() => {
    if (chosen !== undefined) setCurrent((before) => before ?? chosen);
  }, [chosen]);
  const servers = services.reduce((sum, service) => sum + service.destinations.length, 0);
  const isChosen = chosen !== undefined && rows.length > 0;
  return (
    <div class="services" data-chosen={isChosen ? "" : undefined}>
      <section class="panel table-panel" aria-labelledby="services-title" ref={list}>
        <div class="panel-head">
          <h1 id="services-title">
            {say(services.length === 1 ? "oneService" : "manyServices", {
              count: whole(services.length),
            })}
            {say("comma")}
            {say(servers === 1 ? "oneServer" : "manyServers", { count: whole(servers) })}
          </h1>
          <input
            data-filter
            type="search"
            placeholder={say("filterHint")}
            aria-label={say("filterServices")}
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </div>
        {isOpen ? <AddService /> : null}
        <VirtualList
          label={say("servicesServers")}
          items={rows}
          rowHeight={ROW_HEIGHT}
          keyOf={keyOf}
          current={current}
          header={<Header />}
          empty={
            services.length === 0 ? (
              <>
                {say("noServiceYet")} <code>ipvsadm -A -t 192.0.2.10:80 -s wlc</code>
                {say("or")} <code>sluice apply FILE</code>.
              </>
            ) : (
              say("noMatch")
            )
          }
          row={(row) =>
            row.kind === "service" ? (
              <ServiceCells row={row} chosen={chosen} />
            ) : (
              <DestinationCells row={row} />
            )
          }
        />
      </section>
      {chosen === undefined ? null : <ServiceDetail id={chosen} server={route.path[2]} />}
    </div>
  );
}

function keyOf({ key }: Row): string {
  return key;
}

function pathOf(row: Row): string[] {
  return row.kind === "service"
    ? ["services", row.id]
    : ["services", row.key.split(" ")[0]!, row.id];
}

const COLUMNS = [
  ...(["serviceServer", "schedulerWay", "weight", "active", "inactive"] as const),
  ...(["newPerSecond", "inRate", "outRate", "lately", "healthTitle"] as const),
];

function Header(): JSX.Element {
  return (
    <>
      {COLUMNS.map((title, index) => (
        <span key={title} role="columnheader" class={`c${index}`}>
          {say(title)}
        </span>
      ))}
    </>
  );
}

function ServiceCells({
  row,
  chosen,
}: {
  readonly row: ServiceRow;
  readonly chosen: string | undefined;
}): JSX.Element {
  const { service, id, name } = row;
  const sum = (of: (each: (typeof service.destinations)[number]) => number): number =>
    service.destinations.reduce((total, each) => total + of(each), 0);
  return (
    <>
      <span role="cell" class="c0 service-name">
        <a href={formatRoute(pathOf(row))} aria-current={chosen === id ? "true" : undefined}>
          {id}
        </a>
        {name === undefined ? null : <em>{name}</em>}
      </span>
      <span role="cell" class="c1">
        {service.scheduler}
        {service.persistence === null
          ? ""
          : `${say("comma")}${say("persistentFor", { seconds: service.persistence.timeoutSeconds })}`}
      </span>
      <span role="cell" class="c2" />
      <Numbers
        active={sum((each) => each.activeConnections)}
        inactive={sum((each) => each.inactiveConnections)}
        rates={service.rates}
      />
      <span role="cell" class="c8">
        <Sparkline values={rates.of(id).connections} />
      </span>
      <HealthCell row={row} />
    </>
  );
}

function DestinationCells({ row }: { readonly row: DestinationRow }): JSX.Element {
  const { destination } = row;
  return (
    <>
      <span role="cell" class="c0 server-name">
        <a href={formatRoute(pathOf(row))}>{row.id}</a>
      </span>
      <span role="cell" class="c1 quiet">
        {destination === undefined ? say("takenOut") : forwardingName(destination.forwarding)}
      </span>
      <span role="cell" class="c2">
        {destination?.weight}
      </span>
      {destination === undefined ? (
        [3, 4, 5, 6, 7].map((column) => <span key={column} role="cell" class={`c${column}`} />)
      ) : (
        <Numbers
          active={destination.activeConnections}
          inactive={destination.inactiveConnections}
          rates={destination.rates}
        />
      )}
      <span role="cell" class="c8" />
      <HealthCell row={row} />
    </>
  );
}

function Numbers({
  active,
  inactive,
  rates: { connectionsPerSecond, inBytesPerSecond, outBytesPerSecond },
}: {
  readonly active: number;
  readonly inactive: number;
  readonly rates: Rates;
}): JSX.Element {
  return (
    <>
      <span role="cell" class="c3">
        {whole(active)}
      </span>
      <span role="cell" class="c4">
        {whole(inactive)}
      </span>
      <span role="cell" class="c5">
        {short(connectionsPerSecond)}
      </span>
      <span role="cell" class="c6">
        {bitRate(inBytesPerSecond)}
      </span>
      <span role="cell" class="c7">
        {bitRate(outBytesPerSecond)}
      </span>
    </>
  );
}

function HealthCell({ row }: { readonly row: Row }): JSX.Element {
  const { health: state } = row;
  const sum = row.kind === "service" ? row.sum : undefined;
  const why = sum === undefined ? row.why : say("upOfWanted", sum);
  return (
    <span role="cell" class="c9 health" data-health={state} title={why}>
      {say(state)}
    </span>
  );
}
