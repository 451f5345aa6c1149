using Microsoft.AspNetCore.Mvc;

namespace Startup;

[ApiController]
[Route("notes")]
public sealed class NotesController : ControllerBase
{
    [HttpGet]
    public string Get() => "controller: v1";

    [HttpPost]
    public string Post(Note note) => note.Text;
}

public sealed record Note(string Text);
