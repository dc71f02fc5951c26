#version 300 es
// The shape of each look as a distance in device pixels, negative inside.
precision highp float;
flat in int v_look;
flat in int v_ticks;
flat in int v_copy;
flat in float v_room;
flat in float v_size;
flat in float v_opacity;
uniform vec3 colours[17];
uniform vec3 paper;
uniform float density;
out vec4 result;

float inside(float d) { return clamp(0.5 - d, 0.0, 1.0); }
float line(float d, float width) { return inside(abs(d) - width * 0.5); }
float square(vec2 p, float half_side) { return max(abs(p.x), abs(p.y)) - half_side; }
float diamond(vec2 p, float r) { return (abs(p.x) + abs(p.y) - r) * 0.70711; }
float cross_mark(vec2 p, float r) {
    vec2 q = abs(vec2(p.x + p.y, p.x - p.y)) * 0.70711;
    return max(min(q.x, q.y) - r * 0.17, max(q.x, q.y) - r);
}

// Ticks that stand on a rim, the first on top.
float ticks(vec2 p, float r, float thick) {
    float d = 1e3;
    for (int n = 0; n < v_ticks; n++) {
        float turn = 6.28319 * float(n) / float(v_ticks);
        vec2 out_ = vec2(sin(turn), -cos(turn));
        float along = dot(p, out_) - r * 1.25;
        float across = p.x * out_.y - p.y * out_.x;
        d = min(d, max(abs(along) - r * 0.35, abs(across) - thick * 0.5));
    }
    return d;
}

void main() {
    vec2 p = (gl_PointCoord - 0.5) * v_room;
    float r = v_size * 0.5;
    float thin = max(1.2 * density, v_size * 0.14);
    bool small = v_size < 5.0 * density;
    bool plain = v_size < 7.4 * density;
    float d = length(p) - r;
    vec3 colour = colours[v_look];
    float ink = 0.0;    // how much of the look's colour
    float fill = 0.0;   // how much of the paper's colour under it
    if (v_look == 0 || v_look == 11 || v_look == 14 || v_look == 10) {
        ink = inside(d);
    } else if (v_look == 1 || v_look == 12) {
        // A retry: a ring around a dot.
        ink = small ? inside(d) : max(line(d + thin * 0.5, thin), inside(length(p) - r * 0.52));
        fill = inside(d);
    } else if (v_look == 2) {
        float e = diamond(p, r * 1.12);
        ink = small ? inside(e) : line(e + thin * 0.5, thin);
        fill = inside(e);
    } else if (v_look == 3) {
        float e = diamond(p, r * 1.18);
        ink = small ? inside(e) : inside(e) - 0.9 * inside(cross_mark(p, r * 0.52));
        fill = inside(e);
    } else if (v_look == 4) {
        float e = diamond(p, r * 1.12);
        ink = max(line(e + thin * 0.5, thin), inside(max(e, p.x)));
        fill = inside(e);
    } else if (v_look == 5) {
        ink = inside(square(p, r * 0.8));
    } else if (v_look == 6 || v_look == 13) {
        // Nobody waits for it: only an outline.
        ink = small ? inside(d) * 0.7 : line(d + thin * 0.5, thin);
        fill = inside(d) * 0.6;
    } else if (v_look == 7) {
        ink = inside(cross_mark(p, r));
    } else if (v_look == 8) {
        ink = max(line(d + thin * 0.5, thin), inside(cross_mark(p, r * 0.6)));
        fill = inside(d);
    } else if (v_look == 9) {
        ink = max(line(square(p, r) + thin * 0.5, thin), inside(cross_mark(p, r * 0.7)));
        fill = inside(square(p, r));
    } else if (v_look == 15) {
        ink = max(line(d + thin * 0.5, thin), inside(max(d, p.x)));
        fill = inside(d);
    } else {
        ink = small ? inside(d) : inside(cross_mark(p, r));
    }
    // Too small to be read, they would only blur the dot.
    if (!plain && v_ticks > 0) ink = max(ink, inside(ticks(p, r, thin)));
    if (!plain && v_copy > 0) ink = max(ink, line(length(p) - r * 1.55, thin * 0.8));
    float alpha = max(ink, fill) * v_opacity;
    vec3 mixed = mix(paper, colour, ink / max(max(ink, fill), 0.001));
    result = vec4(mixed * alpha, alpha);
}
