import { GoInt, type ParamType, TypedList, TypedMap, type Value } from './kinds.ts';
import { GoStruct } from './struct.ts';

/** Whether Go lets the value be passed where the type is declared. */
export function isAssignable(value: Value, type: ParamType): boolean {
  switch (type) {
    case 'interface {}':
    case 'value':
      return true;
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'float64':
      return typeof value === 'number';
    case 'int':
    case 'int64':
    case 'uint32':
      return value instanceof GoInt && value.kind === type;
    case 'map[string]interface {}':
      // A named map type of the same make (chart values) is assignable, map[string]string is not.
      return value instanceof Map && (!(value instanceof TypedMap) || value.zero === null);
    case '[]interface {}':
      return Array.isArray(value);
    case '[]string':
    case '[]uint8':
      return value instanceof TypedList && value.type === type;
    default:
      return typeof value === 'object' && value !== null && 'type' in value && value.type === type;
  }
}

/** What nil becomes for a type that has a nil; undefined for the others. */
export function zeroOf(type: ParamType): Value {
  switch (type) {
    case 'map[string]interface {}':
      return new TypedMap('map[string]interface {}', null, undefined, undefined, true);
    case '[]interface {}':
      return [];
    case '[]string':
    case '[]uint8':
      return new TypedList(type, [], true);
    case '*time.Location':
    case '*semver.Version':
    case 'io.Writer':
      return new GoStruct({ type, kind: 'ptr', fields: [] });
    default:
      return undefined;
  }
}
