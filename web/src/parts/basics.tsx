// The small parts: links that keep the address true, amounts, choices, help.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { go, linkTo, type View } from '../lib/state';
import { money, percent, t } from '../i18n';
import { ratio } from '../lib/fixed';

interface LinkProps {
  to: Partial<View>;
  class?: string;
  label?: string;
  current?: boolean;
  tabIndex?: number;
  onFocus?: () => void;
  children: ComponentChildren;
}
/** A link inside the page: a real address, so that it opens in a new tab and can be copied. */
export function Link({ to, label, current, children, ...rest }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    go(to);
  };
  return (
    <a
      href={linkTo(to)}
      onClick={follow}
      aria-label={label}
      aria-current={current ? 'page' : undefined}
      {...rest}
    >
      {children}
    </a>
  );
}

/** A change of cost: a shape and a sign say the direction, the colour only repeats it. */
export function Delta({
  value,
  currency,
  base,
}: {
  value: bigint;
  currency: string;
  base?: bigint;
}) {
  const direction = value > 0n ? 'up' : value < 0n ? 'down' : 'same';
  return (
    <span class={`delta ${direction}`}>
      <Arrow direction={direction} />
      <span>{value === 0n ? t.value.hero.same : money(value, currency, 'always')}</span>
      {base !== undefined && base !== 0n && value !== 0n && (
        <span class="delta-share">{percent(ratio(value, base), 'always')}</span>
      )}
    </span>
  );
}
export function Arrow({ direction }: { direction: 'up' | 'down' | 'same' }) {
  const path =
    direction === 'up'
      ? 'M5 1.500 9 8.500H1Z'
      : direction === 'down'
        ? 'M5 8.500 1 1.500h8Z'
        : 'M1 4h8v2H1Z';
  return (
    <svg class="arrow" width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
      <path d={path} fill="currentColor" />
    </svg>
  );
}

export interface Option<T extends string> {
  value: T;
  label: string;
}
export function Segmented<T extends string>(props: {
  label: string;
  value: T;
  options: Option<T>[];
  onChange: (value: T) => void;
}) {
  return (
    <div class="segmented" role="group" aria-label={props.label}>
      {props.options.map((option) => (
        <button
          type="button"
          aria-pressed={option.value === props.value}
          onClick={() => props.onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

export function Select<T extends string>(props: {
  label: string;
  value: T;
  options: Option<T>[];
  onChange: (value: T) => void;
  visible?: boolean;
}) {
  const id = useId();
  return (
    <span class="select">
      <label for={id} class={props.visible ? '' : 'sr-only'}>
        {props.label}
      </label>
      <select
        id={id}
        value={props.value}
        onChange={(event: JSX.TargetedEvent<HTMLSelectElement>) =>
          props.onChange(event.currentTarget.value as T)
        }
      >
        {props.options.map((option) => (
          <option value={option.value} selected={option.value === props.value}>
            {option.label}
          </option>
        ))}
      </select>
    </span>
  );
}

/** Something that opens beside a button and closes with Escape or a press elsewhere. */
export function Popover(props: {
  button: ComponentChildren;
  label?: string;
  class?: string;
  panelClass?: string;
  children: (close: () => void) => ComponentChildren;
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => {
    setOpen(false);
    trigger.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    const away = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener('pointerdown', away);
    return () => removeEventListener('pointerdown', away);
  }, [open]);
  useLayoutEffect(() => {
    // Keep the panel inside the window, whatever the button's place.
    const element = panel.current;
    if (!open || !element) return;
    element.style.transform = '';
    const box = element.getBoundingClientRect();
    const limit = document.documentElement.clientWidth - 12;
    const shift = box.right > limit ? limit - box.right : box.left < 12 ? 12 - box.left : 0;
    if (shift) element.style.transform = `translateX(${shift}px)`;
  }, [open]);
  return (
    <div
      class="popover"
      ref={root}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && open) {
          event.stopPropagation();
          close();
        }
      }}
    >
      <button
        type="button"
        ref={trigger}
        class={props.class ?? 'button'}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={props.label}
        onClick={() => setOpen(!open)}
      >
        {props.button}
      </button>
      {open && (
        <div class={`panel ${props.panelClass ?? ''}`} id={id} ref={panel}>
          {props.children(close)}
        </div>
      )}
    </div>
  );
}

export function Help({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <Popover
      button={<Icon name="help" />}
      label={label}
      class="icon-button small"
      panelClass="help-panel"
    >
      {() => <p>{children}</p>}
    </Popover>
  );
}

const ICONS = {
  help: 'M6.200 6.100a1.900 1.900 0 1 1 2.700 1.700c-.6.3-.9.7-.9 1.300M8 11.300v.1M8 14.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13Z',
  left: 'M10 3 5 8l5 5',
  right: 'm6 3 5 5-5 5',
  down: 'm3 6 5 5 5-5',
  close: 'm4 4 8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  table: 'M2 3h12v10H2ZM2 6.500h12M2 9.700h12M6.500 6.500V13',
  chart: 'M2 13.500h12M4 11V8M8 11V3M12 11V6',
  code: 'M5.500 4.500 2 8l3.500 3.500M10.500 4.500 14 8l-3.500 3.500',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  upload: 'M8 10.500V2.500M4.500 6 8 2.500 11.500 6M2.500 10.500v3h11v-3',
  check: 'm3 8.500 3.500 3.500L13 4.500',
  warn: 'M8 2 1.500 13.500h13ZM8 6.500v3.500M8 11.800v.1',
} as const;
export function Icon({ name }: { name: keyof typeof ICONS }) {
  return (
    <svg class="icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      <path
        d={ICONS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.500"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

/** The width of an element, as it changes. */
export function useWidth<T extends HTMLElement>(): [(element: T | null) => void, number] {
  const [width, set] = useState(0);
  const observer = useRef<ResizeObserver | undefined>(undefined);
  const attach = useRef((element: T | null) => {
    observer.current?.disconnect();
    if (!element) return;
    set(Math.floor(element.clientWidth));
    observer.current = new ResizeObserver(() => set(Math.floor(element.clientWidth)));
    observer.current.observe(element);
  });
  return [attach.current, width];
}
