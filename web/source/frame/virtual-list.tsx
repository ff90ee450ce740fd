/** A long list of which only what is seen is drawn: ten thousand rows cost what forty do. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Rows beyond what is seen, so that scrolling meets no gap. */
const BEYOND = 8;

export interface VirtualListProps<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  readonly rowHeight: number;
  readonly keyOf: (item: Item) => string;
  readonly row: (item: Item) => ComponentChildren;
  /** The key of the one that is kept in sight. */
  readonly current?: string | undefined;
  /** What stands where there is nothing. */
  readonly empty: ComponentChildren;
  readonly header: ComponentChildren;
}

export function VirtualList<Item>(props: VirtualListProps<Item>): JSX.Element {
  const { label, items, rowHeight, keyOf, row, current, empty, header } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const measure = (): void => {
    const { scrollTop: top = 0, clientHeight: height = 0 } = box.current ?? {};
    setView((seen) => (seen.top === top && seen.height === height ? seen : { top, height }));
  };
  useLayoutEffect(() => {
    measure();
    if (box.current === null) return;
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const index = items.findIndex((item) => keyOf(item) === current);
    const element = box.current;
    if (index === -1 || element === null) return;
    const [top, bottom] = [index * rowHeight, (index + 1) * rowHeight];
    const header = (element.firstElementChild as HTMLElement | null)?.offsetHeight ?? 0;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom + header > element.scrollTop + element.clientHeight) {
      element.scrollTop = bottom + header - element.clientHeight;
    }
  }, [current]);
  const first = Math.max(0, Math.floor(view.top / rowHeight) - BEYOND);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / rowHeight) + BEYOND);
  return (
    <div
      class="list"
      ref={box}
      role="table"
      aria-label={label}
      aria-rowcount={items.length + 1}
      tabIndex={0}
      onScroll={measure}
    >
      <div class="list-header" role="row" aria-rowindex={1}>
        {header}
      </div>
      {items.length === 0 ? (
        <div class="empty" role="row">
          <div role="cell">{empty}</div>
        </div>
      ) : (
        <div class="list-rows" role="rowgroup" style={{ height: `${items.length * rowHeight}px` }}>
          {items.slice(first, last).map((item, index) => {
            const key = keyOf(item);
            return (
              <div
                key={key}
                class="list-row"
                role="row"
                aria-rowindex={first + index + 2}
                data-current={key === current ? "" : undefined}
                style={{ top: `${(first + index) * rowHeight}px`, height: `${rowHeight}px` }}
              >
                {row(item)}
              </div>
            );
          })}
        </div>
      )}
    </div>
  );
}
