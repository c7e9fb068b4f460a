// TypeScript: annotations, interfaces, enums, generics, parameter properties, a typed import.
import { check } from 'k6';
import type { Options } from 'k6/options';
import { Color, length, type Point } from './lib/types.ts';

export const options: Options = { iterations: 2 };

enum Size {
  Small = 1,
  Large,
}

class Box<T> {
  constructor(private readonly value: T, public label?: string) {}
  open(): T {
    return this.value;
  }
}

abstract class Shape {
  abstract area(): number;
}

class Square extends Shape {
  constructor(protected side: number) {
    super();
  }
  area(): number {
    return this.side ** 2;
  }
}

function first<T>(items: readonly T[]): T | undefined {
  return items[0];
}

export default function (): void {
  const point: Point = { x: 3, y: 4 };
  const unknown = point as unknown as { x: number };
  console.log(length(point), Color.Red, Color.Green, Color[7], Size[2], Size.Small);
  console.log(new Box<string>('inside', 'l').open(), new Square(3).area(), first([5, 6])!, unknown.x satisfies number);
  check(point, { 'has x': (p: Point) => p.x === 3 });
}
