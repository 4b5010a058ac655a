"""The API for evaluating a visitor's predictions."""

from typing import Final

from fastapi import APIRouter, Request, Response

from app.evaluation.tables.class_spelling import CLASSES_ARE
from app.openapi import parameters
from app.site.evaluate.upload import MOST_BYTES_WORDS, evaluated
from app.site.stability import response_models
from app.web.json_response import json_response
from app.web.plain_route import PlainRoute

router = APIRouter(prefix="/api/v1", tags=["models"], responses=parameters.PROBLEMS, route_class=PlainRoute)


_UPLOAD: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "Predictions; see above."},
                        "agreement": {"type": "integer", "description": "As everywhere."},
                        "classes_are": {
                            "type": "string",
                            "enum": list(CLASSES_ARE),
                            "description": "What classes in the file are, where they could be either.",
                        },
                    },
                }
            }
        },
    },
    "responses": {
        "408": parameters.PROBLEM_RESPONSE | {"description": "The file did not arrive in time."},
        "413": parameters.PROBLEM_RESPONSE | {"description": "Too large, or too slow to read within the time limit."},
        "422": parameters.PROBLEM_RESPONSE
        | {"description": "Not usable as predictions for this test set; the problem says why."},
        "503": parameters.PROBLEM_RESPONSE | {"description": "Others are being evaluated; try again in a minute."},
    },
}


@router.post(
    "/datasets/{name}/evaluate",
    response_model=response_models.EvaluationOut,
    summary="Evaluate your own predictions",
    openapi_extra=_UPLOAD,
    description=(
        "Send predictions for the whole test set as the field ``file`` of a form (multipart/form-data): .csv, .tsv, "
        f".txt, .npy, .npz, .parquet, .json or .jsonl, at most {MOST_BYTES_WORDS}; one row an example, a class, ranked "
        "classes or a score "
        "for each class in it, in the order of the test set or with ``index`` or ``key`` beside it. Nothing is stored."
    ),
)
async def evaluate(request: Request, name: str) -> Response:
    """Accuracies, ranks among the stored models, crossings, and the examples where correction changes the score."""
    return json_response(await evaluated(request, name), {"Cache-Control": "no-store"})
