//! The fast painter: all points in one WebGL2 draw call, shaped in the fragment shader.

use super::painter::{Colours, Paint};
use super::points::STRIDE;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    HtmlCanvasElement, WebGl2RenderingContext as Gl, WebGlBuffer, WebGlProgram, WebGlShader,
    WebGlUniformLocation,
};

/// A WebGL2 context with its program and its buffer.
pub struct GlPainter {
    gl: Gl,
    program: WebGlProgram,
    buffer: WebGlBuffer,
    stage: Option<WebGlUniformLocation>,
    density: Option<WebGlUniformLocation>,
    colours: Option<WebGlUniformLocation>,
    paper: Option<WebGlUniformLocation>,
    /// Kept between frames, so that a frame makes no garbage.
    data: js_sys::Float32Array,
}

impl GlPainter {
    /// Sets WebGL2 up on a canvas; none where it is missing.
    pub fn new(canvas: &HtmlCanvasElement) -> Option<GlPainter> {
        let options = js_sys::Object::new();
        for (name, value) in [("antialias", false), ("alpha", true), ("depth", false)] {
            js_sys::Reflect::set(&options, &name.into(), &JsValue::from_bool(value)).ok()?;
        }
        let gl: Gl =
            canvas.get_context_with_context_options("webgl2", &options).ok()??.dyn_into().ok()?;
        let program = link(&gl)?;
        let buffer = gl.create_buffer()?;
        gl.use_program(Some(&program));
        gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&buffer));
        let bytes = (STRIDE * 4) as i32;
        for (place, width, offset) in [(0, 2, 0), (1, 1, 8), (2, 1, 12), (3, 1, 16)] {
            gl.enable_vertex_attrib_array(place);
            gl.vertex_attrib_pointer_with_i32(place, width, Gl::FLOAT, false, bytes, offset);
        }
        gl.enable(Gl::BLEND);
        gl.blend_func(Gl::ONE, Gl::ONE_MINUS_SRC_ALPHA);
        let find = |name: &str| gl.get_uniform_location(&program, name);
        Some(GlPainter {
            stage: find("stage"),
            density: find("density"),
            colours: find("colours"),
            paper: find("paper"),
            data: js_sys::Float32Array::new_with_length(0),
            gl,
            program,
            buffer,
        })
    }
}

impl Paint for GlPainter {
    fn paint(&mut self, points: &[f32], size: (f64, f64), density: f64, colours: &Colours) {
        let gl = &self.gl;
        let (width, height) = ((size.0 * density) as i32, (size.1 * density) as i32);
        gl.viewport(0, 0, width, height);
        gl.clear_color(0.0, 0.0, 0.0, 0.0);
        gl.clear(Gl::COLOR_BUFFER_BIT);
        if points.is_empty() {
            return;
        }
        gl.use_program(Some(&self.program));
        gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&self.buffer));
        let length = points.len() as u32;
        if self.data.length() < length {
            self.data = js_sys::Float32Array::new_with_length(length.next_power_of_two());
        }
        let view = self.data.subarray(0, length);
        view.copy_from(points);
        gl.buffer_data_with_array_buffer_view(Gl::ARRAY_BUFFER, &view, Gl::STREAM_DRAW);
        gl.uniform2f(self.stage.as_ref(), size.0 as f32, size.1 as f32);
        gl.uniform1f(self.density.as_ref(), density as f32);
        gl.uniform3fv_with_f32_array(self.colours.as_ref(), &colours.looks);
        gl.uniform3fv_with_f32_array(self.paper.as_ref(), &colours.paper);
        gl.draw_arrays(Gl::POINTS, 0, (points.len() / STRIDE) as i32);
    }
}

fn link(gl: &Gl) -> Option<WebGlProgram> {
    let program = gl.create_program()?;
    gl.attach_shader(&program, &compile(gl, Gl::VERTEX_SHADER, include_str!("points.vert"))?);
    gl.attach_shader(&program, &compile(gl, Gl::FRAGMENT_SHADER, include_str!("points.frag"))?);
    gl.link_program(&program);
    gl.get_program_parameter(&program, Gl::LINK_STATUS).as_bool()?.then_some(program)
}

fn compile(gl: &Gl, kind: u32, text: &str) -> Option<WebGlShader> {
    let shader = gl.create_shader(kind)?;
    gl.shader_source(&shader, text);
    gl.compile_shader(&shader);
    gl.get_shader_parameter(&shader, Gl::COMPILE_STATUS).as_bool()?.then_some(shader)
}
