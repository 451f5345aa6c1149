namespace Startup;

public sealed class Startup
{
    public void ConfigureServices(IServiceCollection services)
    {
        services.AddDevReloader();
        services.AddControllers();
        services.AddSingleton(new Greeting("start-up: v1"));
    }

    public void Configure(IApplicationBuilder app)
    {
        app.UseDevReloader();
        app.UseRouting();
        app.UseEndpoints(endpoints =>
        {
            endpoints.MapGet("/", () => "body: v1");
            endpoints.MapGet("/start-up", (Greeting greeting) => greeting.Text);
            endpoints.MapControllers();
        });
    }
}

internal sealed record Greeting(string Text);
