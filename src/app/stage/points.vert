#version 300 es
// One point each: where, how large, what it looks like, how opaque.
layout(location = 0) in vec2 at;
layout(location = 1) in float size;
layout(location = 2) in float look;
layout(location = 3) in float opacity;
uniform vec2 stage;
uniform float density;
flat out int v_look;
flat out int v_ticks;
flat out int v_copy;
flat out float v_room;
flat out float v_size;
flat out float v_opacity;

void main() {
    int code = int(look + 0.5);
    v_look = code & 31;
    v_ticks = (code >> 5) & 7;
    v_copy = code >> 8;
    v_size = size * density;
    v_opacity = opacity;
    vec2 clip = at / stage * 2.0 - 1.0;
    gl_Position = vec4(clip.x, -clip.y, 0.0, 1.0);
    v_room = v_size + 4.0 + (code > 31 ? v_size * 0.8 : 0.0);
    gl_PointSize = v_room;
}
