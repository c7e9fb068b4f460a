// Types and values from another TypeScript file.
export interface Point {
  x: number;
  y: number;
}

export enum Color {
  Red,
  Green = 'green',
  Blue = 7,
}

export const length = (point: Point): number => Math.hypot(point.x, point.y);
