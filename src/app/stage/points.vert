#version 300 es
// One point each: where, how large, what it looks like, how opaque.
layout(location = 0) in vec2 at;
layout(location = 1) in float size;
layout(location = 2) in float look;
layout(location = 3) in float opacity;
uniform vec2 stage;
uniform float density;
flat out int v_look;
flat out float v_size;
flat out float v_opacity;

void main() {
    v_look = int(look + 0.5);
    v_size = size * density;
    v_opacity = opacity;
    vec2 clip = at / stage * 2.0 - 1.0;
    gl_Position = vec4(clip.x, -clip.y, 0.0, 1.0);
    gl_PointSize = v_size + 4.0;
}
