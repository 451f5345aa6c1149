using Microsoft.AspNetCore.Builder;

namespace ResilientHosting.AbortStorms;

/// <summary>What stands between a server and its endpoints.</summary>
internal sealed record Contestant(string Name, bool HandlesExceptions, bool IsTolerant)
{
    public static readonly Contestant Plain = new("plain", HandlesExceptions: false, IsTolerant: false);
    public static readonly Contestant PlainWithHandler = new("plain + handler", HandlesExceptions: true, IsTolerant: false);
    public static readonly Contestant Ours = new("ours", HandlesExceptions: false, IsTolerant: true);
    public static readonly Contestant OursWithHandler = new("ours + handler", HandlesExceptions: true, IsTolerant: true);

    public static readonly Contestant[] All = [Plain, PlainWithHandler, Ours, OursWithHandler];

    public void Use(IApplicationBuilder app)
    {
        if (HandlesExceptions)
        {
            app.UseExceptionHandler();
        }

        if (IsTolerant)
        {
            app.UseClientAbortTolerance();
        }
    }
}
