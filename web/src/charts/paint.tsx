// Colours of Okabe and Ito, each with a texture, so that a layer is known without its colour.
import { OTHER, UNALLOCATED } from '../lib/analysis';

export interface Paint {
  hue: number; // index of --hue-N
  texture: number; // 0 plain, 1 lines, 2 dots
}
export const HUES = 9;
const GREY = 7;
const PALE = 8;

const DRIVERS: Record<string, Paint> = {
  'model inference': { hue: 0, texture: 0 },
  'model training': { hue: 1, texture: 0 },
  'fine-tuning': { hue: 0, texture: 1 },
  'cloud service': { hue: 3, texture: 0 },
  hardware: { hue: 4, texture: 0 },
  storage: { hue: 2, texture: 0 },
  network: { hue: 2, texture: 1 },
  'data preparation': { hue: 5, texture: 0 },
  'data collection': { hue: 5, texture: 1 },
  energy: { hue: 6, texture: 0 },
  'data centre': { hue: 4, texture: 1 },
  'security and compliance': { hue: 6, texture: 2 },
  licence: { hue: 1, texture: 2 },
  people: { hue: 3, texture: 1 },
  integration: { hue: GREY, texture: 1 },
  maintenance: { hue: GREY, texture: 2 },
};
const CLASSES: Record<string, Paint> = {
  'generative AI': { hue: 0, texture: 0 },
  'other AI': { hue: 1, texture: 1 },
  'other compute': { hue: GREY, texture: 0 },
};
const TEXTURES = [0, 1, 0, 2, 0, 1, 2];

/** The rank of a value that has no layer of its own: it is among the others. */
export const BEYOND = -1;

/** The paint of a value: fixed for closed lists, by rank for the others. */
export function paintOf(dimension: string, value: string, rank: number): Paint {
  if (value === OTHER) return { hue: PALE, texture: 0 };
  if (value === UNALLOCATED || value === '(none)') return { hue: GREY, texture: 1 };
  const fixed =
    dimension === 'driver' ? DRIVERS[value] : dimension === 'ai_class' ? CLASSES[value] : undefined;
  if (fixed) return fixed;
  return rank === BEYOND
    ? { hue: PALE, texture: 0 }
    : { hue: rank % 7, texture: TEXTURES[rank % 7]! };
}

export const fillOf = (paint: Paint): string =>
  paint.texture === 0 ? `var(--hue-${paint.hue})` : `url(#texture-${paint.hue}-${paint.texture})`;

/** The textures, once in the page. */
export function Textures() {
  const hues = Array.from({ length: HUES }, (_, hue) => hue);
  return (
    <svg class="defs" width="0" height="0" aria-hidden="true">
      <defs>
        {hues.map((hue) => (
          <>
            <pattern
              id={`texture-${hue}-1`}
              width="6"
              height="6"
              patternUnits="userSpaceOnUse"
              patternTransform="rotate(45)"
            >
              <rect width="6" height="6" fill={`var(--hue-${hue})`} />
              <rect width="2" height="6" fill="var(--texture)" />
            </pattern>
            <pattern id={`texture-${hue}-2`} width="6" height="6" patternUnits="userSpaceOnUse">
              <rect width="6" height="6" fill={`var(--hue-${hue})`} />
              <circle cx="3" cy="3" r="1.300" fill="var(--texture)" />
            </pattern>
          </>
        ))}
      </defs>
    </svg>
  );
}

export function Swatch({ paint }: { paint: Paint }) {
  return (
    <svg class="swatch" width="12" height="12" aria-hidden="true">
      <rect width="12" height="12" rx="2" fill={fillOf(paint)} />
    </svg>
  );
}
